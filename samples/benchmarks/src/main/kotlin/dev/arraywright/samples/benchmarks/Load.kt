package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

internal const val PAGE = 4096

/**
 * A closed loop: [queue] clients, each with one request of 4 KiB after the other, at random over the whole array, for
 * [duration] or while [goesOn].
 */
internal suspend fun load(
    array: RaidArray,
    queue: Int,
    duration: Duration,
    seed: Long,
    writes: Boolean = false,
    goesOn: () -> Boolean = { true },
): Latencies {
    val began = TimeSource.Monotonic.markNow()
    val taken = List(queue) { LongList() }
    coroutineScope {
        for (client in 0 until queue) {
            launch {
                val random = Random(seed * 1000 + client)
                val buffer = ByteBuffer.allocateDirect(PAGE)
                while (began.elapsedNow() < duration && goesOn()) {
                    val offset = random.nextLong(array.size / PAGE) * PAGE
                    if (writes) buffer.putLong(0, random.nextLong())
                    val start = System.nanoTime()
                    if (writes) array.write(buffer, offset) else array.read(buffer, offset)
                    taken[client].add(System.nanoTime() - start)
                }
            }
        }
    }
    val all = taken.flatMap { it.toList() }.toLongArray().apply { sort() }
    return Latencies(all, began.elapsedNow().toDouble(DurationUnit.SECONDS))
}

/** Writes zeroes over a range in order, a few requests at once, and flushes; bytes/s. */
internal suspend fun writeThrough(device: AsyncBlockDevice, from: Long, until: Long): Double =
    copyThrough(emptyList(), device, from, until)

/** The same, but a block is written only once all [sources] have been read there, at once. */
internal suspend fun copyThrough(
    sources: List<AsyncBlockDevice>,
    target: AsyncBlockDevice,
    from: Long,
    until: Long,
): Double {
    val began = TimeSource.Monotonic.markNow()
    val next = AtomicLong(from)
    coroutineScope {
        repeat(if (sources.isEmpty()) SEQUENTIAL_QUEUE else 2 * SEQUENTIAL_QUEUE) {
            launch {
                val zeroes = ByteBuffer.allocateDirect(SEQUENTIAL_BLOCK)
                val read = sources.map { ByteBuffer.allocateDirect(SEQUENTIAL_BLOCK) }
                while (true) {
                    val at = next.getAndAdd(SEQUENTIAL_BLOCK.toLong())
                    if (at >= until) break
                    val length = minOf(SEQUENTIAL_BLOCK.toLong(), until - at).toInt()
                    sources.mapIndexed { i, source -> source.read(read[i].slice(0, length), at) }.forEach { it.await() }
                    target.write(zeroes.slice(0, length), at).await()
                }
            }
        }
    }
    target.flush().await()
    return (until - from) / began.elapsedNow().toDouble(DurationUnit.SECONDS)
}

private const val SEQUENTIAL_QUEUE = 4
private const val SEQUENTIAL_BLOCK = 1 shl 20

private class LongList {
    private var values = LongArray(1024)
    private var size = 0

    fun add(value: Long) {
        if (size == values.size) values = values.copyOf(2 * size)
        values[size++] = value
    }

    fun toList(): List<Long> = values.take(size)
}
