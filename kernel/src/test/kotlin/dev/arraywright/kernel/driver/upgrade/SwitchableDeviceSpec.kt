package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

class SwitchableDeviceSpec : StringSpec({
    "one that is replaced while it is asked how it is does not have the last word" {
        val fresh = FakeDevice("d", 4096)
        lateinit var device: SwitchableDevice
        val stale = FakeDevice("d", 4096)
        val old = object : BlockDevice by stale {
            private fun replaced() {
                device.gate.shut()
                device.replace(this, fresh) shouldBe true
                device.gate.open()
                stale.close()
            }

            override fun isOnline(): Boolean {
                replaced()
                return stale.isOnline
            }

            override fun health(): DeviceHealth {
                replaced()
                return DeviceHealth(DeviceHealth.Status.FAILED, "closed")
            }
        }
        device = SwitchableDevice(old)
        device.isOnline shouldBe true
        SwitchableDevice(old).also { device = it }.health() shouldBe DeviceHealth.UNKNOWN
    }

    "misuse never reaches the driver" {
        val reached = AtomicInteger()

        fun device(readOnly: Boolean) = SwitchableDevice(
            FakeDevice("d", 4096, 512, readOnly).apply { faulty { _, _, _ -> reached.incrementAndGet() } },
        )
        device(false).let {
            shouldThrow<IllegalArgumentException> { it.read(ByteBuffer.allocate(512).asReadOnlyBuffer(), 0) }
            shouldThrow<IllegalArgumentException> { it.read(ByteBuffer.allocate(512), 1) }
            shouldThrow<IllegalArgumentException> { it.write(ByteBuffer.allocate(512), 4096) }
            shouldThrow<IllegalArgumentException> { it.discard(-512, 512) }
            shouldThrow<IllegalArgumentException> { it.writeZeroes(0, 100) }
            shouldThrow<IllegalArgumentException> { it.allocation(0, 8192) }
        }
        shouldThrow<WriteProtectedException> { device(true).write(ByteBuffer.allocate(512), 0) }
        reached.get() shouldBe 0
    }

    "a driver that throws what it may not is a device that is gone" {
        val device = SwitchableDevice(
            FakeDevice("d", 4096).apply { faulty { what, _, _ -> throw IllegalArgumentException("what is a $what?") } },
        )
        val failure = shouldThrow<DeviceGoneException> { device.read(ByteBuffer.allocate(512), 0) }
        failure.message.orEmpty() shouldContain "what is a READ?"
        failure.cause.shouldBeNull()
    }

    "once it is closed it holds nothing of the driver, even if closing fails" {
        var told = 0
        val device = SwitchableDevice(object : BlockDevice by FakeDevice("d", 4096) {
            override fun close() = error("stuck")
        }) { told++ }
        shouldThrow<IllegalStateException> { device.close() }
        device.close()
        device.present.shouldBeNull()
        told shouldBe 1
        device.health().status() shouldBe DeviceHealth.Status.FAILED
        shouldThrow<DeviceGoneException> { device.flush() }
    }
})
