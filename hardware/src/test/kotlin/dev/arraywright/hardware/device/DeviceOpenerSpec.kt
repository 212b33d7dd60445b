package dev.arraywright.hardware.device

import dev.arraywright.hardware.device.guard.ManualTimer
import dev.arraywright.hardware.device.memory.MemoryDriver
import dev.arraywright.hardware.hardwareModule
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import org.koin.dsl.koinApplication
import java.nio.ByteBuffer
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

class DeviceOpenerSpec : StringSpec({
    val any = StorageAddress.parse("slow:any")

    "the module's opener opens by scheme, and names what it knows otherwise" {
        val application = koinApplication { modules(hardwareModule()) }
        val opener = application.koin.get<DeviceOpener>()
        opener.schemes shouldBe setOf("block", "file", "memory", "nbd", "nbd+unix")
        opener.open(StorageAddress.parse("memory:1MiB")).use { device ->
            device.write(ByteBuffer.wrap(ByteArray(512) { 3 }), 0).await()
            val target = ByteBuffer.allocate(512)
            device.read(target, 0).await()
            target.array().all { it == 3.toByte() } shouldBe true
        }
        shouldThrow<DriverException> { opener.open(StorageAddress.parse("tape:0")) }.run {
            reason() shouldBe Reason.UNSUPPORTED
            message shouldContain "tape:"
            remedy() shouldContain "file:"
        }
        application.close()
        shouldThrow<DriverException> { opener.open(StorageAddress.parse("memory:1MiB")) }
    }

    "a driver's own refusal arrives as it is, a bug in it as a failure" {
        val driver = SlowDriver().apply { gate.countDown() }
        opener(driver).use { opener ->
            driver.failure = DriverException(Reason.NO_PERMISSION, "no", "ask")
            shouldThrow<DriverException> { opener.open(any) } shouldBe driver.failure
            driver.failure = IllegalStateException("bug")
            shouldThrow<DriverException> { opener.open(any) }.run {
                reason() shouldBe Reason.FAILED
                cause shouldBe driver.failure
            }
        }
    }

    "an open that hangs ends with its deadline, and a device that comes late is closed" {
        val driver = SlowDriver()
        val timer = ManualTimer()
        opener(driver, timer).use { opener ->
            coroutineScope {
                val opening = async(Dispatchers.Default) { runCatching { opener.open(any) } }
                driver.awaitOpen()
                timer.pass(30.seconds)
                val failure = opening.await().exceptionOrNull() as DriverException
                failure.reason() shouldBe Reason.UNREACHABLE
            }
            driver.gate.countDown()
            driver.awaitClosed()
        }
    }

    "a cancelled open closes the device that comes" {
        val driver = SlowDriver()
        opener(driver).use { opener ->
            coroutineScope {
                val opening = launch(Dispatchers.Default) { opener.open(any) }
                driver.awaitOpen()
                opening.cancelAndJoin()
            }
            driver.gate.countDown()
            driver.awaitClosed()
        }
    }

    "a device that finds no buffer memory is closed and refused" {
        val driver = SlowDriver().apply { gate.countDown() }
        opener(driver, pool = BufferPool(4096)).use { opener ->
            shouldThrow<DriverException> { opener.open(any) }.message shouldContain "no buffer memory"
            driver.awaitClosed()
        }
    }

    "one scheme has one driver, until it is taken back" {
        val first = SlowDriver()
        opener(first).use { opener ->
            shouldThrow<IllegalArgumentException> { opener.register(SlowDriver()) }
            opener.schemes shouldBe setOf("slow")
            opener.register(MemoryDriver().ready()).close()
            opener.schemes shouldBe setOf("slow")
        }
        first.closed shouldBe true
    }

    "a driver that stands for another one is registered for the schemes that are given, all or none" {
        opener(SlowDriver()).use { opener ->
            val proxy = object : Driver by MemoryDriver().ready() {}
            shouldThrow<IllegalArgumentException> { opener.register(proxy) }.message shouldContain "@StorageDriver"
            shouldThrow<IllegalArgumentException> { opener.register(listOf("memory", "slow"), proxy) }
            opener.schemes shouldBe setOf("slow")
            val registration = opener.register(listOf("memory", "ram"), proxy)
            opener.schemes shouldBe setOf("memory", "ram", "slow")
            opener.open(StorageAddress.parse("memory:1MiB")).close()
            registration.close()
            opener.schemes shouldBe setOf("slow")
        }
    }

    "what is interposed opens in place of the built-in drivers, and of no other, which keep their life" {
        val builtIn = SlowDriver()
        val opened = mutableListOf<String>()
        opener(builtIn).use { opener ->
            opener.register(MemoryDriver().ready())
            opener.interpose { driver ->
                driver shouldBe builtIn
                object : Driver by MemoryDriver().ready() {
                    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
                        opened += "$address"
                        throw DriverException(DriverException.Reason.FAILED, "counted", "")
                    }
                }
            }
            shouldThrow<DriverException> { opener.open(any) }.message shouldBe "counted"
            opener.open(StorageAddress.parse("memory:1MiB")).close()
            opener.schemes shouldBe setOf("memory", "slow")
        }
        opened shouldBe listOf("$any")
        builtIn.closed shouldBe true
    }
})

private fun opener(driver: Driver, timer: ManualTimer = ManualTimer(), pool: BufferPool = BufferPool(16L shl 20)) =
    DeviceOpener(pool, timer, BuiltInDrivers.of(driver))

@StorageDriver(name = "slow", description = "Opens when told to", version = "1.0.0", supportedDevices = ["slow"])
private class SlowDriver : Driver {
    val gate = CountDownLatch(1)
    var failure: Exception? = null
    var closed = false
    private val opened = Semaphore(0)
    private val released = Semaphore(0)

    override fun initialize(context: DriverContext) {}

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        opened.release()
        check(gate.await(20, TimeUnit.SECONDS))
        failure?.let { throw it }
        return object : BlockDevice by FakeDevice("slow", 4096) {
            override fun close() {
                released.release()
            }
        }
    }

    fun awaitOpen() = check(opened.tryAcquire(20, TimeUnit.SECONDS))

    fun awaitClosed() = check(released.tryAcquire(20, TimeUnit.SECONDS))

    override fun close() {
        closed = true
    }
}
