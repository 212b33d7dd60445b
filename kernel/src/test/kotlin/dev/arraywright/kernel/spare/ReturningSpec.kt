package dev.arraywright.kernel.spare

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.event.DeviceReadded
import dev.arraywright.kernel.event.DeviceReturned
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.kernelModules
import dev.arraywright.raid.spare.HotSparePolicy
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.maps.shouldContainKey
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.koin.dsl.koinApplication
import org.koin.dsl.module
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ReturningSpec : StringSpec({
    suspend fun house(action: suspend (ArraywrightKernel, Sockets) -> Unit) {
        val sockets = Sockets()
        val host = koinApplication {
            modules(kernelModules() + module { single<BuiltInDrivers> { BuiltInDrivers.of(sockets) } })
        }
        AutoCloseable(host::close).use {
            // The kernel first: closing the host closes the buffer pool before it.
            host.koin.get<ArraywrightKernel>().use { kernel ->
                kernel.protection.setPolicy(HotSparePolicy(healthCheckInterval = 50.milliseconds))
                action(kernel, sockets)
            }
        }
    }

    "a member that was away is opened anew, and has its slot back with what it missed" {
        house { kernel, sockets ->
            val array = kernel.vault(bitmap = 1 shl 20)
            sockets.pull("vault-1")
            val data = Random(3).nextBytes(500_000)
            array.put(data)
            kernel.until(Topic.DEVICE_FAILED, Topic.SPARE_EXHAUSTED)
            sockets.plug("vault-1")
            val told = kernel.until(Topic.DEVICE_READDED, Topic.ARRAY_RECOVERED)
            val back = told.firstNotNullOf { it.occurrence as? DeviceReadded }
            back.device shouldBe member("vault", 1)
            back.slot shouldBe 1
            back.bytesDirty.shouldNotBeNull()
            array.healthy()
            kernel.devices.value.getValue(member("vault", 1)).array shouldBe "vault"
            array.fail("0")
            array.get(data.size) shouldBe data
            kernel.stopArray("vault")
            kernel.devices.value.shouldBeEmpty()
        }
    }

    "one whose place was taken is told of, stays listed and is closed until it is removed" {
        house { kernel, sockets ->
            val spare = "memory:16MiB#spare"
            val array = kernel.vault()
            kernel.protection.addSpare(spare)
            sockets.pull("vault-1")
            array.put(Random(4).nextBytes(500_000))
            kernel.until(Topic.REBUILD_COMPLETE, Topic.ARRAY_RECOVERED)
            sockets.plug("vault-1")
            val told = kernel.until(Topic.DEVICE_RETURNED)
            val back = told.firstNotNullOf { it.occurrence as? DeviceReturned }
            back.device shouldBe member("vault", 1)
            back.replacement shouldBe spare
            array.status.value.members.single { it.slot == null }.address shouldBe member("vault", 1)
            array.remove(member("vault", 1))
            array.status.value.members.none { it.slot == null } shouldBe true
            // The supervisor, which had it open to look at it, may be closing it this very moment.
            withTimeout(60.seconds) { while (member("vault", 1) in kernel.devices.value) yield() }
            kernel.protection.addSpare(member("vault", 1))
            kernel.devices.value shouldContainKey member("vault", 1)
        }
    }
})
