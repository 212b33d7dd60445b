package dev.arraywright.admin.demo

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.nio.ByteBuffer
import java.util.SplittableRandom
import java.util.concurrent.atomic.AtomicIntegerArray
import kotlin.time.Duration.Companion.seconds

/**
 * Concurrent writers on a range of an export, [WORKERS] at once, each on blocks of its own, every write read back and
 * compared. A block's bytes follow from the [seed], its index and how often it was written, so that [verify] knows what
 * each must hold.
 */
internal class Load(private val client: NbdClient, private val from: Long, length: Long, private val seed: Long) {
    private val blocks = (length / BLOCK).toInt()
    private val generations = AtomicIntegerArray(blocks)
    private val count = MutableStateFlow(0L)

    @Volatile
    private var ending = false

    /** How many writes were acknowledged and compared so far. */
    val writes: Long get() = count.value

    /** Writes until [end]. */
    suspend fun run(): Unit = coroutineScope {
        repeat(WORKERS) { worker ->
            launch {
                val random = SplittableRandom(seed + worker)
                val own = (worker until blocks step WORKERS).toList()
                while (!ending) write(own[random.nextInt(own.size)])
                client.flush()
            }
        }
    }

    fun end() {
        ending = true
    }

    /** Returns once [more] writes have come through since the call. */
    suspend fun awaitWrites(more: Long) {
        val goal = writes + more
        withTimeout(PATIENCE) { count.first { it >= goal } }
    }

    /** Compares every block that was written, by [reader]; how many those are. */
    suspend fun verify(reader: NbdClient): Int {
        val written = (0 until blocks).filter { generations[it] > 0 }
        written.forEach { compare(reader, it) }
        return written.size
    }

    private suspend fun write(block: Int) {
        val generation = generations[block] + 1
        client.write(content(block, generation), from + block.toLong() * BLOCK)
        generations[block] = generation
        compare(client, block)
        count.update { it + 1 }
    }

    private suspend fun compare(reader: NbdClient, block: Int) {
        val offset = from + block.toLong() * BLOCK
        val found = ByteBuffer.allocateDirect(BLOCK)
        reader.read(found, offset)
        val differing = content(block, generations[block]).mismatch(found)
        check(differing < 0) { "the load differs at byte ${offset + differing}" }
    }

    private fun content(block: Int, generation: Int): ByteBuffer {
        val random = SplittableRandom(seed * PRIME + block * PRIME + generation)
        val bytes = ByteBuffer.allocateDirect(BLOCK)
        while (bytes.hasRemaining()) bytes.putLong(random.nextLong())
        return bytes.flip()
    }

    private operator fun AtomicIntegerArray.set(index: Int, value: Int) = set(index, value)

    private companion object {
        const val WORKERS = 4
        const val BLOCK = 64 * 1024
        const val PRIME = 1_000_003L
        val PATIENCE = 30.seconds
    }
}
