package dev.arraywright.raid.array

import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.raid.simulation.SeededDispatcher
import dev.arraywright.raid.simulation.SimulatedDisk
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

internal const val MIB = 1L shl 20

/** Disks, time and a runtime of their own for a story about an array. */
internal class Bench(cache: ReadCache? = null) : SimulatedDisk.World {
    val dispatcher = SeededDispatcher(Random(1))
    val random = Random(2)
    val runtime = ArrayRuntime(dispatcher, dispatcher.clock, random, time = dispatcher.time, cache = cache)
    val arrays = Arrays(runtime)

    /** True if one call in ten takes a hundred times as long as the others. */
    var uneven: Boolean = false

    override fun later(extra: Long, action: () -> Unit) {
        val slow = if (uneven && random.nextInt(10) == 0) 5_000_000L else 0L
        dispatcher.after(random.nextLong(1, 100_000) + extra + slow) { action() }
    }

    fun disks(count: Int, name: String = "disk", block: Int = 512, dataSize: Int = 256 * 1024): List<SimulatedDisk> =
        List(count) { SimulatedDisk("$name$it", MIB + dataSize, block, this) }

    fun run(story: suspend Bench.() -> Unit) {
        var result: Result<Unit>? = null
        CoroutineScope(dispatcher + SupervisorJob()).launch { result = runCatching { story() } }
        dispatcher.runUntil(1.hours) { result != null }
        result?.getOrThrow()
    }

    suspend fun RaidArray.get(offset: Long, length: Int): ByteArray =
        ByteArray(length).also { read(ByteBuffer.wrap(it), offset) }

    suspend fun RaidArray.put(offset: Long, bytes: ByteArray) = write(ByteBuffer.wrap(bytes), offset)

    suspend fun RaidArray.settled() = state.first { it.phase == ArrayPhase.Healthy }
}
