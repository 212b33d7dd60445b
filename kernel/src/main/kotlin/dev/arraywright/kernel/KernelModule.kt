package dev.arraywright.kernel

import dev.arraywright.hardware.hardwareModule
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.driver.driverManager
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.machine.Blind
import dev.arraywright.kernel.machine.Machine
import dev.arraywright.kernel.machine.MachineEvents
import dev.arraywright.kernel.machine.MachineSight
import dev.arraywright.kernel.machine.Places
import dev.arraywright.kernel.machine.Plugs
import dev.arraywright.kernel.machine.Relief
import dev.arraywright.kernel.machine.Sight
import dev.arraywright.kernel.machine.Watching
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.kernel.spare.protection
import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.raid.codec.Parity
import dev.arraywright.raid.raidModule
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import org.koin.core.module.Module
import org.koin.core.qualifier.named
import org.koin.dsl.module
import org.koin.dsl.onClose
import kotlin.time.Clock

/** Everything a kernel needs, its own module included: what a host loads into its Koin application. */
public fun kernelModules(options: KernelOptions = KernelOptions()): List<Module> =
    listOf(
        hardwareModule(options.bufferLimit, options.state?.resolve("health"), options.memory),
        raidModule(),
        kernelModule(options),
    )

/** The kernel itself, one an application, closed with it. */
public fun kernelModule(options: KernelOptions = KernelOptions()): Module = module {
    single<KernelOptions> { options }
    single<Clock> { options.clock }
    // Apart from Dispatchers.Default, so that a host which blocks its threads there does not hold up the arrays.
    single<CoroutineScope> {
        CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(parallelism, "arraywright"))
    }
    // A pool of its own, so that neither I/O nor the cache waits for what the other one has.
    single<BufferPool>(named(READ_CACHE)) { cachePool(options.readCache) } onClose { it?.close() }
    single<ReadCache> { ReadCache(options.readCache, get<BufferPool>(named(READ_CACHE))) }
    single<ArrayRuntime> { arrayRuntime(get(), get(), get(), get(), get(), get(), get()) }
    single<EventStream> { EventStream(get(), options.journal?.let { EventJournal.open(it, options.journalLimits) }) }
    single<Members> { Members(get()) }
    single<Exports> { Exports(get<BufferPool>(), get()) }
    if (options.watch) {
        single<Machine> { Machine(get(), get(), get(), get(), get(), get(), get(), get()) }
        single<Sight> { MachineSight(get(), get()) }
        single<MachineEvents> { MachineEvents(get(), get()) }
    } else {
        single<Sight> { Blind }
    }
    single<Places> { Places(get()) }
    single<Protection> { protection(get(), get(), get(), get(), get(), get()) }
    single<Plugs> { Plugs(get(), get(), get(), get(), get()) }
    single<Relief> { Relief(get(), getOrNull()) }
    single<Watching> { Watching(get(), get(), getOrNull(), get(), get(), get(), get()) }
    single<ArrayRegistry> { ArrayRegistry(get(), get(), get(), get(), get()) }
    single<DriverManager> { driverManager(get(), get(), get(), get(), get(), get(), get(), get()) }
    single<ArraywrightKernel> {
        ArraywrightKernel(get(), get(), get(), get(), get(), get(), get(), get(), getOrNull(), get(), get())
    } onClose { it?.close() }
}

private val parallelism = Runtime.getRuntime().availableProcessors()

private fun arrayRuntime(
    scope: CoroutineScope,
    clock: Clock,
    parity: Parity,
    policy: ArrayPolicy,
    buffers: BufferPool,
    cache: ReadCache,
    options: KernelOptions,
): ArrayRuntime {
    val bounded = policy.copy(memberDeadline = options.memberDeadline)
    return ArrayRuntime(
        scope.coroutineContext,
        clock,
        parity = parity,
        policy = bounded,
        buffers = buffers,
        cache = cache,
    )
}

/** Hardly anything stays idle in it: what the cache gives up goes back to the operating system. */
private fun cachePool(bytes: Long): BufferPool =
    BufferPool(Math.ceilDiv(maxOf(bytes, 1), BufferPool.PAGE) * BufferPool.PAGE).apply { idleLimit = CACHE_IDLE }

private const val READ_CACHE = "read cache"
private const val CACHE_IDLE = 1L shl 20
