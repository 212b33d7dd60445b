package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.kernelModules
import dev.arraywright.kernel.spare.vault
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalForInheritanceCoroutinesApi
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import org.koin.dsl.koinApplication
import org.koin.dsl.module
import kotlin.time.Duration.Companion.seconds

class WatchingSpec : StringSpec({
    "a watch that does not end keeps nothing else from ending as it should, and is told" {
        val stuck = object : Sight by Blind {
            override val devices = Stuck()
        }
        val application = koinApplication {
            allowOverride(true)
            val options = KernelOptions(watch = false, closeWithin = 20.seconds)
            modules(kernelModules(options) + module { single<Sight> { stuck } })
        }
        val kernel = application.koin.get<ArraywrightKernel>()
        val array = kernel.vault()
        stuck.devices.collected.await()
        shouldThrow<KernelError.NotStopped> { kernel.shutdown() }.why shouldContain "the watch of the machine"
        kernel.events.first { it.topic == Topic.ARRAY_STOPPED }.subject shouldBe array.name
        kernel.arrays.value shouldBe emptyMap()
        stuck.devices.end.complete(Unit)
        application.close()
    }
})

/** Whoever collects it cannot be cancelled until its [end]. */
@OptIn(ExperimentalForInheritanceCoroutinesApi::class)
private class Stuck : StateFlow<Map<DeviceId, HardwareDevice>?> {
    val collected = CompletableDeferred<Unit>()
    val end = CompletableDeferred<Unit>()

    override val value: Map<DeviceId, HardwareDevice>? = null
    override val replayCache: List<Map<DeviceId, HardwareDevice>?> = listOf(value)

    override suspend fun collect(collector: FlowCollector<Map<DeviceId, HardwareDevice>?>): Nothing {
        withContext(NonCancellable) {
            collected.complete(Unit)
            end.await()
        }
        error("ended")
    }
}
