package dev.arraywright.raid.cache

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicIntegerArray
import kotlin.random.Random

/**
 * Threads that read, write and take memory away at once. Each block has one writer, which writes ascending numbers: so
 * what a reader may see is any number from the last one written before it began to the last one begun before it ended.
 */
class ReadCacheStressSpec : StringSpec({
    "no thread ever reads what was overwritten before it began, or memory of others" {
        val memory = Memory(1L shl 30)
        val cache = ReadCache(LIMIT, memory, BLOCK)
        val array = cache.attach()
        val begun = AtomicIntegerArray(BLOCKS)
        val members = AtomicIntegerArray(BLOCKS)
        val ended = AtomicIntegerArray(BLOCKS)
        val over = AtomicBoolean()

        fun load(first: Int, target: ByteBuffer) {
            for (i in 0 until target.capacity() / 4) target.putInt(i * 4, members[first + i * 4 / BLOCK])
        }

        fun read(random: Random) {
            val first = random.nextInt(BLOCKS - 1)
            val target = ByteBuffer.allocate(BLOCK * (1 + random.nextInt(2)))
            val least = List(2) { ended[first + it] }
            if (!array.serve(target, first.toLong() * BLOCK)) {
                val span = array.load(first.toLong() * BLOCK, target.capacity())
                load(first, target)
                if (random.nextInt(8) == 0) Thread.yield()
                array.loaded(span, target)
            }
            for (i in 0 until target.capacity() / 4) {
                val block = i * 4 / BLOCK
                val found = target.getInt(i * 4)
                check(found in least[block]..begun[first + block]) {
                    "$found in block ${first + block}, not ${least[block]}..${begun[first + block]}"
                }
            }
        }

        fun write(random: Random, half: Int) {
            val block = random.nextInt(BLOCKS / 2) * 2 + half
            val span = if (random.nextInt(64) > 0) array.write(block.toLong() * BLOCK, BLOCK.toLong()) else return
            val number = begun.incrementAndGet(block)
            if (random.nextInt(8) == 0) Thread.yield()
            members[block] = number
            if (random.nextInt(8) == 0) Thread.yield()
            array.written(span)
            ended[block] = number
        }

        fun squeeze(random: Random) {
            cache.shrinkTo(random.nextLong(LIMIT))
            cache.limit = LIMIT
        }

        val pool = Executors.newFixedThreadPool(5)
        val work = listOf<(Random) -> Unit>(
            { read(it) },
            { read(it) },
            { write(it, 0) },
            { write(it, 1) },
            { squeeze(it) },
        )
        val results = work.mapIndexed { i, step ->
            pool.submit {
                try {
                    val random = Random(i)
                    if (i < 2) repeat(READS) { if (!over.get()) step(random) } else while (!over.get()) step(random)
                } catch (wrong: Throwable) {
                    over.set(true)
                    throw wrong
                }
            }
        }
        try {
            results.take(2).forEach { it.get(2, TimeUnit.MINUTES) }
        } finally {
            over.set(true)
            pool.shutdown()
            pool.awaitTermination(1, TimeUnit.MINUTES)
        }
        results.forEach { it.get() }
        withClue(cache.stats) { cache.stats.hits shouldBeGreaterThan 0 }
        cache.stats.bytes shouldBe memory.inUse()
        array.close()
        cache.stats.bytes shouldBe 0
        memory.inUse() shouldBe 0
    }
}) {
    private companion object {
        const val BLOCK = 4096
        const val BLOCKS = 8
        const val LIMIT = 6L * BLOCK
        const val READS = 40_000
    }
}
