package dev.arraywright.raid.simulation

import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.ByteBuffer

/** Writers, readers and flushers of a story's array, each byte of which is checked. */
internal class Clients(private val story: Simulation) {
    private val random get() = story.random

    /** A burst of requests, with [meanwhile] beside them. */
    suspend fun run(meanwhile: suspend () -> Unit): Unit = coroutineScope {
        val reach = random.nextInt(4)
        repeat(1 + random.nextInt(4)) { launch { repeat(4 + random.nextInt(16)) { write(reach) } } }
        repeat(random.nextInt(3)) { launch { repeat(10) { read(reach) } } }
        launch { repeat(random.nextInt(6)) { flush() } }
        story.small?.let { small ->
            repeat(1 + random.nextInt(3)) { launch { repeat(8) { readAgain(reach) } } }
            launch { small.squeeze() }
        }
        launch { meanwhile() }
    }

    /** Reads everything. */
    suspend fun look() {
        val read = story.model.beginRead(0, story.array.size.toInt())
        val all = ByteArray(story.array.size.toInt())
        story.array.read(ByteBuffer.wrap(all), 0)
        story.model.endRead(read, all)
    }

    /** A range; with a small [reach] they meet often. */
    private fun range(reach: Int): Pair<Int, Int> {
        val size = story.array.size.toInt()
        val length = 1 + random.nextInt(
            when (random.nextInt(5)) {
                0 -> 512
                1 -> 4096
                2 -> minOf(size, 4 * story.array.geometry.stripeBytes())
                else -> 12_288
            }.coerceAtMost(size),
        )
        val within = if (reach == 0) minOf(size, length + 16_384) else size
        val from = random.nextInt(within - length + 1)
        val aligned = random.nextBoolean() && length > 512
        return if (aligned) from and -512 to maxOf(512, length and -512) else from to length
    }

    private suspend fun pause() {
        if (random.nextBoolean()) delay(random.nextLong(if (random.nextInt(10) == 0) story.shape.lull else 6))
    }

    private suspend fun write(reach: Int) {
        pause()
        if (!story.model.writable) return
        val (from, length) = range(reach)
        val write = story.model.beginWrite(from, from + length)
        val source = ByteBuffer.wrap(story.model.bytes(write))
        var done = false
        try {
            done = withTimeoutOrNull(if (random.nextInt(20) == 0) random.nextLong(1, 3) else 100_000) {
                story.array.write(source, from.toLong())
            } != null
        } catch (failure: DeviceIoException) {
            if (story.powered) throw AssertionError("write $write failed in ${story.array.state.value}", failure)
        } finally {
            source.array().fill(0x55)
            if (story.powered) story.model.endWrite(write, done)
            story.note { "wrote $write" }
        }
    }

    private suspend fun read(reach: Int) {
        pause()
        val (from, length) = range(reach)
        read(from, length)
    }

    private suspend fun readAgain(reach: Int) {
        val (from, length) = range(reach)
        repeat(1 + random.nextInt(4)) {
            pause()
            read(from, length)
        }
    }

    private suspend fun read(from: Int, length: Int) {
        val read = story.model.beginRead(from, from + length)
        val target = ByteArray(length)
        var done = false
        try {
            story.array.read(ByteBuffer.wrap(target), from.toLong())
            done = true
        } catch (failure: DeviceIoException) {
            if (story.powered)
                throw AssertionError(
                    "read of [$from,${from + length}) failed in ${story.array.state.value}",
                    failure,
                )
        } finally {
            if (story.powered) story.model.endRead(read, target.takeIf { done })
        }
    }

    private suspend fun flush() {
        delay(random.nextLong(if (random.nextInt(4) == 0) story.shape.lull else 60))
        val covered = story.model.beginFlush()
        story.array.flush()
        if (story.powered) story.model.endFlush(covered)
        story.note { "flushed ${covered.map { it.id }}" }
    }
}
