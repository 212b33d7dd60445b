package dev.arraywright.kernel

import dev.arraywright.hardware.hardwareModule
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.driver.driverManager
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.kernel.spare.protection
import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.codec.Parity
import dev.arraywright.raid.raidModule
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import org.koin.core.module.Module
import org.koin.dsl.module
import org.koin.dsl.onClose
import kotlin.time.Clock

/** Everything a kernel needs, its own module included: what a host loads into its Koin application. */
public fun kernelModules(options: KernelOptions = KernelOptions()): List<Module> =
    listOf(hardwareModule(options.bufferLimit), raidModule(), kernelModule(options))

/** The kernel itself, one an application, closed with it. */
public fun kernelModule(options: KernelOptions = KernelOptions()): Module = module {
    single<KernelOptions> { options }
    single<Clock> { options.clock }
    // Apart from Dispatchers.Default, so that a host which blocks its threads there does not hold up the arrays.
    single<CoroutineScope> {
        CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(parallelism, "arraywright"))
    }
    single<ArrayRuntime> { arrayRuntime(get(), get(), get(), get(), get(), get()) }
    single<EventStream> { EventStream(get(), options.journal?.let { EventJournal.open(it, options.journalLimits) }) }
    single<Members> { Members(get()) }
    single<Exports> { Exports(get<BufferPool>(), get()) }
    single<Protection> { protection(get(), get(), get(), get(), get()) }
    single<ArrayRegistry> { ArrayRegistry(get(), get(), get(), get(), get()) }
    single<DriverManager> { driverManager(get(), get(), get(), get(), get(), get(), get()) }
    single<ArraywrightKernel> { ArraywrightKernel(get(), get(), get(), get(), get(), get(), get(), get()) } onClose {
        it?.close()
    }
}

private val parallelism = Runtime.getRuntime().availableProcessors()

private fun arrayRuntime(
    scope: CoroutineScope,
    clock: Clock,
    parity: Parity,
    policy: ArrayPolicy,
    buffers: BufferPool,
    options: KernelOptions,
): ArrayRuntime {
    val bounded = policy.copy(memberDeadline = options.memberDeadline)
    return ArrayRuntime(scope.coroutineContext, clock, parity = parity, policy = bounded, buffers = buffers)
}
