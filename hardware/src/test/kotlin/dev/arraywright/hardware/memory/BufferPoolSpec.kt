package dev.arraywright.hardware.memory

import dev.arraywright.spi.memory.BufferAllocator
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import java.lang.foreign.MemorySegment
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

class BufferPoolSpec : StringSpec({
    "buffers are direct, page-aligned, of the size asked for, and counted by size class" {
        BufferPool(1L shl 20).use { pool ->
            for ((size, weight) in listOf(1 to 4096L, 4096 to 4096L, 4097 to 8192L, 70_000 to 131_072L)) {
                pool.acquire(size).use { lease ->
                    lease.buffer().isDirect shouldBe true
                    lease.buffer().position() shouldBe 0
                    lease.buffer().limit() shouldBe size
                    MemorySegment.ofBuffer(lease.buffer()).address() % 4096 shouldBe 0
                    pool.inUse() shouldBe weight
                }
                pool.inUse() shouldBe 0
            }
        }
    }

    "returned memory is used again, idle memory counts towards the limit, and trim gives it back" {
        BufferPool(64L shl 10).use { pool ->
            val first = pool.acquire(8192).use { MemorySegment.ofBuffer(it.buffer()).address() }
            pool.acquire(8192).use { MemorySegment.ofBuffer(it.buffer()).address() shouldBe first }
            pool.stats().idle shouldBe 8192
            pool.acquire(60 shl 10).use { pool.stats() shouldBe BufferPoolStats(64 shl 10, 64 shl 10, 0, 0) }
            pool.trim() shouldBe (64 shl 10)
            pool.stats().idle shouldBe 0
        }
    }

    "an idle limit gives memory back at once and as buffers come back, and refuses nobody" {
        BufferPool(64L shl 10).use { pool ->
            pool.acquire(16 shl 10).close()
            pool.idleLimit = 4096
            pool.stats().idle shouldBe 0
            val leases = listOf(pool.acquire(60 shl 10))
            leases.forEach(BufferAllocator.Lease::close)
            pool.stats().idle shouldBe 0
            pool.acquire(4096).close()
            pool.stats() shouldBe BufferPoolStats(64 shl 10, 0, 4096, 0)
            pool.idleLimit = Long.MAX_VALUE
            pool.acquire(8192).close()
            pool.stats().idle shouldBe 12288
        }
    }

    "a buffer whose memory was given back throws instead of touching it" {
        BufferPool(64L shl 10).use { pool ->
            val lease = pool.acquire(4096)
            lease.close()
            pool.trim()
            shouldThrow<IllegalStateException> { lease.buffer().get(0) }
        }
    }

    "at the limit tryAcquire says no, and a timed wait ends" {
        BufferPool(8192).use { pool ->
            val all = pool.acquire(8192)
            pool.tryAcquire(1).shouldBeNull()
            pool.tryAcquire(1, 5.milliseconds).shouldBeNull()
            all.close()
            all.close()
            pool.tryAcquire(1).shouldNotBeNull().close()
        }
    }

    "sizes that can never be served are misuse" {
        BufferPool(8192).use { pool ->
            for (size in listOf(0, -1, 8193)) {
                shouldThrow<IllegalArgumentException> { pool.acquire(size) }
                shouldThrow<IllegalArgumentException> { pool.tryAcquire(size) }
                shouldThrow<IllegalArgumentException> { pool.lease(size) }
            }
            shouldThrow<IllegalArgumentException> { BufferPool(5000) }
        }
    }

    "requests are served in order: a small one does not overtake a large one" {
        BufferPool(16L shl 10).use { pool ->
            runTest {
                val held = List(3) { pool.lease(4096) }
                val large = async { pool.lease(16 shl 10) }
                testScheduler.runCurrent()
                val small = async { pool.lease(4096) }
                testScheduler.runCurrent()
                pool.tryAcquire(4096).shouldBeNull()
                pool.stats().waiting shouldBe 2
                held.forEach(BufferAllocator.Lease::close)
                large.await().close()
                small.await().close()
            }
            pool.inUse() shouldBe 0
        }
    }

    "a cancelled or interrupted wait takes no buffer, and lets the next one through" {
        BufferPool(8192).use { pool ->
            runTest {
                val held = pool.lease(4096)
                val large = launch { pool.lease(8192).close() }
                testScheduler.runCurrent()
                val small = async { pool.lease(4096) }
                testScheduler.runCurrent()
                large.cancelAndJoin()
                small.await().close()
                held.close()
            }
            pool.acquire(8192).use {
                val waiting = thread { shouldThrow<InterruptedException> { pool.acquire(4096) } }
                while (pool.stats().waiting == 0) Thread.onSpinWait()
                waiting.interrupt()
                waiting.join()
                pool.stats().waiting shouldBe 0
            }
            pool.inUse() shouldBe 0
        }
    }

    "an interrupt does not matter to a request that need not wait" {
        BufferPool(8192).use { pool ->
            Thread.currentThread().interrupt()
            pool.acquire(4096).close()
            Thread.interrupted() shouldBe true
        }
    }

    "a reserve is set aside, serves its holder, and comes back with its last buffer" {
        BufferPool(16L shl 10).use { pool ->
            val reserve = pool.tryReserve(8192).shouldNotBeNull()
            pool.inUse() shouldBe 8192
            pool.tryReserve(12 shl 10).shouldBeNull()
            pool.tryAcquire(16 shl 10).shouldBeNull()
            val lease = reserve.acquire(8192)
            reserve.close()
            pool.inUse() shouldBe 8192
            lease.close()
            pool.inUse() shouldBe 0
            shouldThrow<IllegalStateException> { reserve.acquire(1) }
        }
    }

    "close fails those that wait and takes late returns" {
        val pool = BufferPool(4096)
        val lease = pool.acquire(1)
        val waiting = thread { shouldThrow<IllegalStateException> { pool.acquire(1) } }
        while (pool.stats().waiting == 0) Thread.onSpinWait()
        pool.close()
        waiting.join()
        lease.close()
        pool.stats() shouldBe BufferPoolStats(4096, 0, 0, 0)
    }

    "many threads and coroutines never share a buffer or pass the limit" {
        val limit = 256L shl 10
        BufferPool(limit).use { pool ->
            coroutineScope {
                repeat(8) { worker ->
                    launch(Dispatchers.Default) {
                        val random = Random(worker)
                        repeat(500) {
                            val size = 1 + random.nextInt(128 shl 10)
                            val lease = if (worker % 2 == 0) {
                                pool.lease(size)
                            } else {
                                withContext(Dispatchers.IO) { pool.acquire(size) }
                            }
                            lease.use {
                                val buffer = lease.buffer()
                                val mark = random.nextLong()
                                for (at in 0..size - 8 step 4096) buffer.putLong(at, mark)
                                val figures = pool.stats()
                                figures.inUse + figures.idle shouldBeLessThanOrEqual limit
                                for (at in 0..size - 8 step 4096) buffer.getLong(at) shouldBe mark
                            }
                        }
                    }
                }
            }
            pool.inUse() shouldBe 0
        }
    }
})
