package dev.arraywright.hardware.memory.balloon

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.memory.BufferPoolStats
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.annotation.Isolate
import io.kotest.core.spec.style.StringSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe

private const val KIB = 1L shl 10
private const val MIB = 1L shl 20

@Isolate
class PoolClientSpec : StringSpec({
    fun BufferPool.leaveIdle(vararg sizes: Long) {
        sizes.map { acquire(it.toInt()) }.forEach { it.close() }
    }

    "idle memory of reserves counts, is trimmed last, and is bounded by the parent's limit" {
        BufferPool(256 * KIB).use { pool ->
            val reserve = pool.tryReserve(64 * KIB).shouldNotBeNull()
            pool.leaveIdle(32 * KIB, 16 * KIB)
            reserve.leaveIdle(32 * KIB, 8 * KIB)
            pool.stats() shouldBe BufferPoolStats(256 * KIB, 64 * KIB, 48 * KIB, 0, 40 * KIB)
            pool.trim(40 * KIB) shouldBe 48 * KIB
            pool.stats().idleInReserves shouldBe 40 * KIB
            pool.trim(8 * KIB) shouldBeGreaterThanOrEqual 32 * KIB
            pool.idleLimit = 8 * KIB
            reserve.leaveIdle(8 * KIB)
            reserve.leaveIdle(16 * KIB)
            reserve.stats().idle shouldBe 0
            pool.leaveIdle(8 * KIB)
            reserve.leaveIdle(8 * KIB)
            pool.stats().run { idle + idleInReserves } shouldBe 8 * KIB
            pool.idleLimit = Long.MAX_VALUE
            reserve.leaveIdle(32 * KIB)
            reserve.stats().idle shouldBe 32 * KIB
            reserve.close()
            pool.stats() shouldBe BufferPoolStats(256 * KIB, 0, 8 * KIB, 0, 0)
        }
    }

    "an idle limit of a reserve's own holds as well, and one of a reserve's reserve is under all of them" {
        BufferPool(256 * KIB).use { pool ->
            val reserve = pool.tryReserve(128 * KIB).shouldNotBeNull()
            val inner = reserve.tryReserve(64 * KIB).shouldNotBeNull()
            inner.leaveIdle(32 * KIB)
            pool.stats().idleInReserves shouldBe 32 * KIB
            reserve.idleLimit = 4 * KIB
            inner.stats().idle shouldBe 0
            inner.leaveIdle(8 * KIB)
            inner.stats().idle shouldBe 0
            inner.leaveIdle(4 * KIB)
            pool.stats().idleInReserves shouldBe 4 * KIB
            pool.trim() shouldBe 4 * KIB
        }
    }

    "a pool gives what it is asked for, all of it when it is critical, and grows back by eighths" {
        BufferPool(256 * KIB).use { pool ->
            val client = PoolClient(pool)
            pool.leaveIdle(*LongArray(16) { 4 * KIB })
            client.reclaimable() shouldBe 64 * KIB
            client.release(PressureAsk(10_000, Level.LOW)) shouldBe 12 * KIB
            pool.leaveIdle(*LongArray(16) { 4 * KIB })
            pool.stats().idle shouldBe 52 * KIB
            client.release(PressureAsk(1, Level.CRITICAL)) shouldBe 52 * KIB
            pool.idleLimit shouldBe 0
            val steps = generateSequence { pool.idleLimit }.iterator()
            repeat(7) { step ->
                client.relax() shouldBe false
                steps.next() shouldBe (step + 1) * 32 * KIB
            }
            client.relax().shouldBeTrue()
            pool.idleLimit shouldBe Long.MAX_VALUE
        }
    }

    "buffers in use are left alone" {
        BufferPool(64 * KIB).use { pool ->
            pool.acquire(16 * 1024).use { lease ->
                lease.buffer().putLong(0, 42)
                PoolClient(pool).release(PressureAsk(64 * KIB, Level.CRITICAL)) shouldBe 0
                lease.buffer().getLong(0) shouldBe 42
            }
            pool.stats().idle shouldBe 0
        }
    }

    "what a pool releases the process no longer has in memory".config(
        enabledOrReasonIf = {
            if (SystemTree.PROC.exists("self/status")) Enabled.enabled else Enabled.disabled("no /proc/self/status")
        },
    ) {
        BufferPool(128 * MIB).use { pool ->
            val leases = List(128) { pool.acquire(1 shl 20) }
            for (lease in leases) for (at in 0 until (1 shl 20) step 4096) lease.buffer().put(at, 1)
            leases.forEach { it.close() }
            val before = MemoryMonitor.resident(SystemTree.PROC).shouldNotBeNull()
            PoolClient(pool).release(PressureAsk(100 * MIB, Level.MEDIUM)) shouldBe 100 * MIB
            before - MemoryMonitor.resident(SystemTree.PROC)!! shouldBeGreaterThanOrEqual 80 * MIB
        }
    }
})
