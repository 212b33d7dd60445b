package dev.arraywright.hardware.device.memory

import dev.arraywright.hardware.device.bytes
import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer

class MemoryDriverSpec : StringSpec({
    "memory is claimed by name, and keeps its content until the driver is closed" {
        val driver = MemoryDriver().ready()
        driver.open("memory:1MiB#a").use { device ->
            device.write(ByteBuffer.wrap(ByteArray(512) { 1 }), 0)
            shouldThrow<DriverException> { driver.open("memory:1MiB#a") }.reason() shouldBe Reason.IN_USE
            driver.open("memory:1MiB#b").close()
        }
        driver.open("memory:1MiB#a", OpenOptions.READ_ONLY).use { device ->
            driver.open("memory:1MiB#a", OpenOptions.READ_ONLY).close()
            shouldThrow<DriverException> { driver.open("memory:1MiB#a") }.reason() shouldBe Reason.IN_USE
            device.bytes(0, 512).all { it == 1.toByte() } shouldBe true
        }
        shouldThrow<DriverException> { driver.open("memory:2MiB#a") }.reason() shouldBe Reason.INVALID
        shouldThrow<DriverException> { driver.open("memory:1000#c") }.reason() shouldBe Reason.INVALID
        shouldThrow<DriverException> { driver.open("file:/dev/null") }.reason() shouldBe Reason.UNSUPPORTED
        driver.close()
        driver.open("memory:1MiB#a").use { it.bytes(0, 512).all { byte -> byte == 0.toByte() } shouldBe true }
    }

    "memory is taken only for what is written" {
        MemoryDriver().ready().open("memory:1PiB").use { device ->
            device.write(ByteBuffer.allocate(512), 1L shl 40)
            device.allocation(1L shl 40, 256 shl 10) shouldBe
                listOf(Extent(1L shl 40, 64 shl 10, false), Extent((1L shl 40) + (64 shl 10), 192 shl 10, true))
            device.discard(1L shl 40, 64 shl 10)
            device.allocation(1L shl 40, 256 shl 10) shouldBe listOf(Extent(1L shl 40, 256 shl 10, true))
        }
    }
})
