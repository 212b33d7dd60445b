package dev.arraywright.hardware.memory

import dev.arraywright.spi.memory.BufferAllocator.Lease
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.random.Random

class BorrowedBuffersSpec : StringSpec({
    /** All that became unreachable before this is known to be so after it. */
    fun collected() {
        val gone = ReferenceQueue<Any>()
        val canary = PhantomReference(Any(), gone)
        while (gone.remove(100) == null) System.gc()
        canary.refersTo(null) shouldBe true
    }

    fun waiting(action: () -> Unit): CompletableFuture<Unit> {
        val outcome = CompletableFuture<Unit>()
        val waiter = thread { runCatching(action).fold(outcome::complete, outcome::completeExceptionally) }
        while (waiter.isAlive && waiter.state != Thread.State.WAITING) Thread.onSpinWait()
        return outcome
    }

    fun CompletableFuture<Unit>.refused() =
        shouldThrow<ExecutionException> { get(60, TimeUnit.SECONDS) }.cause!!.message

    "a part as large as there can be is refused as any other" {
        BufferPool(1L shl 43).use { pool ->
            val borrowed = BorrowedBuffers(pool)
            borrowed.tryAcquire(4096).shouldNotBeNull().close()
            borrowed.refuse("it is gone")
            shouldThrow<IllegalStateException> { borrowed.acquire(4096) }.message shouldBe "it is gone"
        }
    }

    "what is out is counted as the pool does, for any sequence of requests and returns" {
        for (seed in 0..<100) {
            val random = Random(seed)
            BufferPool(256L shl 10).use { pool ->
                val mine = BorrowedBuffers(pool, 100L shl 10)
                val others = BorrowedBuffers(pool)
                mine.limit() shouldBe (100L shl 10)
                val out = mutableListOf<Pair<Lease, Long>>()
                repeat(200) { step ->
                    withClue("seed $seed, step $step") {
                        if (random.nextBoolean() || out.isEmpty()) {
                            val size = random.nextInt(1, 60_000)
                            val weight = pool.weight(size)
                            val lease = mine.tryAcquire(size)
                            (lease != null) shouldBe (weight + out.sumOf { it.second } <= mine.limit())
                            lease?.let {
                                it.buffer().limit() shouldBe size
                                out += it to weight
                            }
                        } else {
                            val (lease, _) = out.removeAt(random.nextInt(out.size))
                            repeat(1 + random.nextInt(2)) { lease.close() }
                        }
                        if (random.nextInt(10) == 0) others.tryAcquire(random.nextInt(1, 30_000))?.close()
                        mine.inUse() shouldBe out.sumOf { it.second }
                        mine.lent shouldBe out.size
                        pool.inUse() shouldBe mine.inUse() + others.inUse()
                    }
                }
                out.forEach { it.first.close() }
                pool.inUse() shouldBe 0
            }
        }
    }

    "a borrower has no more than its part, and waits for its own buffers" {
        BufferPool(64L shl 10).use { pool ->
            val mine = BorrowedBuffers(pool, 8192)
            val first = mine.acquire(8192)
            mine.tryAcquire(1).shouldBeNull()
            pool.tryAcquire(32 shl 10).shouldNotBeNull().close()
            val next = waiting { mine.acquire(4096).close() }
            first.close()
            next.get(60, TimeUnit.SECONDS)
            for (size in listOf(0, -1, 8193)) shouldThrow<IllegalArgumentException> { mine.tryAcquire(size) }
            shouldThrow<IllegalArgumentException> { BorrowedBuffers(pool, 12_288).acquire(8193) }
            pool.inUse() shouldBe 0
        }
    }

    "once it is refused nothing is lent, to none of those that wait either, and what is out can be given back" {
        BufferPool(16L shl 10).use { pool ->
            val mine = BorrowedBuffers(pool, 8192)
            val held = mine.acquire(8192)
            val waiting = List(3) { waiting { mine.acquire(4096 * (1 + it % 2)) } }
            val others = BorrowedBuffers(pool, 16L shl 10)
            val blocking = pool.acquire(8192)
            val forThePool = waiting { others.acquire(8192) }
            mine.refuse("it is over")
            mine.refuse("it is over again")
            waiting.forEach { it.refused() shouldBe "it is over" }
            others.refuse("for others, too")
            blocking.close()
            forThePool.refused() shouldBe "for others, too"
            shouldThrow<IllegalStateException> { mine.acquire(1) }.message shouldBe "it is over"
            shouldThrow<IllegalStateException> { mine.tryAcquire(1) }.message shouldBe "it is over"
            mine.lent shouldBe 1
            held.close()
            pool.inUse() shouldBe 0
        }
    }

    "what nobody refers to is given back, and what somebody can still write to is not" {
        BufferPool(64L shl 10).use { pool ->
            val mine = BorrowedBuffers(pool)

            fun drop() {
                repeat(3) { mine.acquire(4096).buffer().put(0, 1) }
            }
            drop()
            val slice: ByteBuffer = mine.acquire(8192).buffer().slice(4096, 4096).slice()
            val lease = mine.acquire(4096)
            mine.refuse("it is over")
            collected()
            mine.reclaim() shouldBe 3
            mine.reclaim() shouldBe 0
            mine.lent shouldBe 2
            pool.inUse() shouldBe 12_288
            // The next one's memory is not that of the slice.
            val next = pool.acquire(8192).buffer()
            slice.put(0, 7)
            (0..<8192).none { next.get(it) == 7.toByte() } shouldBe true
            lease.close()
            mine.lent shouldBe 1
            slice.get(0) shouldBe 7
        }
    }
})
