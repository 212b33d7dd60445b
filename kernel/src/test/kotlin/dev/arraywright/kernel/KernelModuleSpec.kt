package dev.arraywright.kernel

import dev.arraywright.hardware.device.guard.GuardLimits
import dev.arraywright.hardware.health.HealthMonitor
import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.codec.Parity
import dev.arraywright.spi.memory.BufferAllocator
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import org.koin.core.annotation.KoinExperimentalAPI
import org.koin.dsl.koinApplication
import org.koin.dsl.module
import org.koin.test.verify.definition
import org.koin.test.verify.injectedParameters
import org.koin.test.verify.verify
import java.nio.file.Path
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.TimeSource

@OptIn(KoinExperimentalAPI::class)
class KernelModuleSpec : StringSpec({
    "every definition can be built from the modules a host loads" {
        module { includes(kernelModules()) }.verify(
            extraTypes = handedIn,
            injections = injectedParameters(definition<HealthMonitor>(List::class)),
        )
    }

    "a host's own Koin application holds one kernel, and closes it" {
        val host = koinApplication { modules(kernelModules()) }
        val kernel = host.koin.get<ArraywrightKernel>()
        host.koin.get<ArraywrightKernel>() shouldBeSameInstanceAs kernel
        host.close()
        shouldThrow<KernelError.Closed> { kernel.assembleArray(listOf("memory:1MiB")) }
    }
})

/** Arguments of constructors that definitions give themselves. */
private val handedIn = listOf(
    CoroutineContext::class,
    Random::class,
    Parity::class,
    ArrayPolicy::class,
    BufferAllocator::class,
    GuardLimits::class,
    Duration::class,
    EventJournal::class,
    HealthPolicy::class,
    Function0::class,
    Function1::class,
    Map::class,
    List::class,
    Path::class,
    Flow::class,
    StateFlow::class,
    CoroutineDispatcher::class,
    TimeSource::class,
    Function2::class,
    Continuation::class,
    Clock::class,
    String::class,
)
