package dev.arraywright.hardware.memory

import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.spi.memory.BufferAllocator
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.io.path.readText

/** What the operating system has to say of the pool's memory. */
class BufferPoolMemorySpec : StringSpec({
    for (size in listOf(4 shl 10, 64 shl 10, 1 shl 20, 8 shl 20)) {
        "the resident set falls by what is trimmed, in buffers of ${size shr 10} KiB" {
            BufferPool(TOTAL).use { pool ->
                val leases = List((TOTAL / size).toInt()) { pool.acquire(size).also { touch(it.buffer()) } }
                leases.forEach(BufferAllocator.Lease::close)
                val before = residentBytes()
                pool.trim() shouldBe TOTAL
                before - residentBytes() shouldBeGreaterThan TOTAL / 10 * 9
            }
        }
    }

    "the resident set falls by every other buffer too" {
        BufferPool(TOTAL).use { pool ->
            val leases = List((TOTAL / 4096).toInt()) { pool.acquire(4096).also { touch(it.buffer()) } }
            leases.filterIndexed { i, _ -> i % 2 == 0 }.forEach(BufferAllocator.Lease::close)
            val before = residentBytes()
            pool.trim() shouldBe TOTAL / 2
            before - residentBytes() shouldBeGreaterThan TOTAL / 20 * 9
            leases.forEach(BufferAllocator.Lease::close)
        }
    }

    "a pool full of small buffers takes few mappings" {
        BufferPool(TOTAL).use { pool ->
            val before = mappings()
            val leases = List((TOTAL / 4096).toInt()) { pool.acquire(4096) }
            mappings() - before shouldBeLessThan (TOTAL / (256 shl 10)).toInt() + 64
            leases.forEach(BufferAllocator.Lease::close)
        }
    }

    "a view of memory that was trimmed throws once its mapping is gone, and reaches no neighbour before" {
        BufferPool(TOTAL).use { pool ->
            for (size in listOf(4096, 1 shl 20)) {
                val neighbour = pool.acquire(size)
                neighbour.buffer().put(0, 7)
                val view = pool.acquire(size).use { it.buffer() }
                pool.trim() shouldBe size.toLong()
                val isPart = size == 4096
                if (isPart) view.put(0, 1) else shouldThrow<IllegalStateException> { view.put(0, 1) }
                neighbour.buffer().get(0) shouldBe 7
                neighbour.close()
                pool.trim()
                shouldThrow<IllegalStateException> { view.put(0, 1) }
            }
        }
    }

    "a reserve on a node serves its holder wherever it is, and says why it is not there" {
        BufferPool(1 shl 20).use { pool ->
            pool.nodeAbsence shouldBe "no node is wished for"
            for (node in listOf(-1, 0, 1, 999)) {
                pool.tryReserve(64 shl 10, node).shouldNotBeNull().use { reserve ->
                    reserve.acquire(4096).use { it.buffer().put(4095, 1) }
                    val bound = NumaTopology.of()?.node(node) != null
                    if (bound) reserve.nodeAbsence.shouldBeNull() else reserve.nodeAbsence.shouldNotBeNull()
                }
            }
            pool.inUse() shouldBe 0
        }
    }
})

private const val TOTAL = 128L shl 20

private fun touch(buffer: ByteBuffer) {
    for (at in 0 until buffer.limit() step 4096) buffer.put(at, 1)
}

private fun residentBytes(): Long = Path.of("/proc/self/statm").readText().split(' ')[1].toLong() * 4096

private fun mappings(): Int = Path.of("/proc/self/maps").readLines().size
