package dev.arraywright.hardware.memory.slab

import dev.arraywright.hardware.memory.BufferPool
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.pair
import io.kotest.property.checkAll
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.lang.foreign.ValueLayout.JAVA_BYTE
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.util.TreeMap
import kotlin.random.Random

private const val KIB = 1024L
private const val MIB = 1024 * KIB

class SlabsSpec : StringSpec({
    "a large slab is a mapping of its own, small ones share one with their like" {
        val pages = StrictPages()
        val slabs = Slabs(MIB * 64, pages = pages)
        val large = List(3) { slabs.take(128 * KIB) }
        slabs.mappings shouldBe 3
        val small = List(64) { slabs.take(4 * KIB) }
        slabs.mappings shouldBe 4
        val other = slabs.take(8 * KIB)
        slabs.mappings shouldBe 5
        val last = slabs.take(4 * KIB)
        slabs.mappings shouldBe 6
        (large + small + other + last).forEach(Slab::free)
        slabs.mappings shouldBe 0
        pages.mapped shouldBe 0
    }

    "a slab freed from a chunk gives its pages back, the last one the chunk" {
        val pages = StrictPages()
        val slabs = Slabs(MIB * 64, pages = pages)
        val (first, second) = List(2) { slabs.take(64 * KIB) }
        first.free()
        pages.dropped shouldBe 64 * KIB
        pages.mapped shouldBe MIB
        slabs.take(64 * KIB).also { it.memory.get(JAVA_BYTE, 0) shouldBe 0 }.free()
        second.free()
        pages.mapped shouldBe 0
        shouldThrow<IllegalStateException> { second.memory.get(JAVA_BYTE, 0) }
    }

    "with pages larger than a slab nothing is dropped that a neighbour is in" {
        val pages = StrictPages(64 * KIB)
        val slabs = Slabs(MIB * 64, pages = pages)
        val small = List(4) { slabs.take(4 * KIB) }
        small[1].free()
        pages.dropped shouldBe 0
        small.filter { it != small[1] }.forEach(Slab::free)
        pages.mapped shouldBe 0
    }

    "where nothing can be mapped slabs come from the JDK" {
        val refusing = object : Pages by LinuxPages {
            override fun map(bytes: Long, inParts: Boolean): Long = 0
        }
        val absent = object : Pages by LinuxPages {
            override val absence = "not here"

            override fun map(bytes: Long, inParts: Boolean): Long = error(absence)
        }
        for (pages in listOf(refusing, absent)) {
            val slabs = Slabs(MIB, pages = pages)
            for (bytes in listOf(4 * KIB, 256 * KIB)) {
                val slab = slabs.take(bytes)
                slab.memory.address() % BufferPool.PAGE shouldBe 0
                slab.memory.set(JAVA_BYTE, bytes - 1, 1)
                slab.free()
                shouldThrow<IllegalStateException> { slab.memory.get(JAVA_BYTE, 0) }
            }
            slabs.mappings shouldBe 0
        }
    }

    "no two slabs share memory, whatever is taken and freed, and at the end everything is unmapped" {
        val sizes = Arb.element(4 * KIB, 8 * KIB, 16 * KIB, 60 * KIB, 64 * KIB, 128 * KIB, 512 * KIB)
        val limits = Arb.element(MIB, 64 * MIB, 8192 * MIB)
        checkAll(60, limits, Arb.list(Arb.pair(sizes, Arb.int(0..99)), 1..400)) { limit, steps ->
            val pages = StrictPages()
            val slabs = Slabs(limit, pages = pages)
            val live = ArrayList<Pair<Slab, Long>>()
            steps.forEachIndexed { step, (bytes, choice) ->
                if (choice < 55 || live.isEmpty()) {
                    val slab = slabs.take(bytes)
                    slab.memory.address() % BufferPool.PAGE shouldBe 0
                    slab.memory.fill(step.toByte())
                    live += slab to step.toLong()
                } else {
                    val (slab, mark) = live.removeAt(choice % live.size)
                    slab.memory.mismatchOf(mark.toByte()) shouldBe -1
                    slab.free()
                }
                pages.liveOverlap(live.map { it.first }) shouldBe false
                slabs.mappings shouldBeLessThanOrEqual live.size
            }
            live.forEach { (slab, mark) ->
                slab.memory.mismatchOf(mark.toByte()) shouldBe -1
                slab.free()
            }
            slabs.mappings shouldBe 0
            pages.mapped shouldBe 0
        }
    }

    "many threads never share a slab" {
        val pages = StrictPages()
        val slabs = Slabs(64 * MIB, pages = pages)
        coroutineScope {
            repeat(8) { worker ->
                launch(Dispatchers.Default) {
                    val random = Random(worker)
                    val mine = ArrayDeque<Pair<Slab, Long>>()
                    repeat(3000) {
                        if (mine.isEmpty() || (mine.size < 6 && random.nextBoolean())) {
                            val slab = slabs.take((4 * KIB) shl random.nextInt(3))
                            val mark = random.nextLong()
                            slab.memory.set(JAVA_LONG, slab.bytes - 8, mark)
                            mine += slab to mark
                        } else {
                            val (slab, mark) = mine.removeFirst()
                            slab.memory.get(JAVA_LONG, slab.bytes - 8) shouldBe mark
                            slab.free()
                        }
                    }
                    mine.forEach { it.first.free() }
                }
            }
        }
        pages.mapped shouldBe 0
        slabs.mappings shouldBe 0
    }

    "a pool of any size has fewer mappings than a process may have" {
        for (limit in listOf(MIB, 64 * MIB, 1024 * MIB, 16384 * MIB, 1024 * 1024 * MIB)) {
            for (bytes in listOf(4 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, MIB, 16 * MIB, 64 * MIB)) {
                val counted = CountingPages()
                val slabs = Slabs(limit, pages = counted)
                List(1000) { slabs.take(bytes) }
                val each = counted.bytes / slabs.mappings
                limit / each shouldBeLessThan 8193
            }
        }
    }
})

private fun java.lang.foreign.MemorySegment.mismatchOf(value: Byte): Long {
    for (at in 0 until byteSize() step 512) if (get(JAVA_BYTE, at) != value) return at
    return if (get(JAVA_BYTE, byteSize() - 1) == value) -1 else byteSize() - 1
}

/** Hands out addresses that nobody may touch. */
private class CountingPages : Pages {
    var bytes = 0L
    override val absence: String? = null
    override val size = 4096L

    override fun map(bytes: Long, inParts: Boolean): Long {
        this.bytes += bytes
        return (1L shl 40) + this.bytes
    }

    override fun unmap(address: Long, bytes: Long) = error("nothing is freed")

    override fun drop(address: Long, bytes: Long) = error("nothing is freed")
}

/** Linux's memory, which takes no range back that it did not give, nor one that it has back. */
private class StrictPages(override val size: Long = 4096) : Pages {
    private val ranges = TreeMap<Long, Long>()
    override val absence: String? = null
    var dropped = 0L
        private set

    val mapped: Long get() = synchronized(ranges) { ranges.values.sum() }

    override fun map(bytes: Long, inParts: Boolean): Long {
        check(bytes % size == 0L)
        return LinuxPages.map(bytes, inParts).also { synchronized(ranges) { ranges[it] = bytes } }
    }

    override fun unmap(address: Long, bytes: Long) {
        synchronized(ranges) { check(ranges.remove(address, bytes)) { "not a mapping" } }
        LinuxPages.unmap(address, bytes)
    }

    override fun drop(address: Long, bytes: Long) {
        synchronized(ranges) {
            val (start, length) = ranges.floorEntry(address)
            check(address + bytes <= start + length && address % 4096 == 0L && bytes % size == 0L)
            dropped += bytes
        }
        LinuxPages.drop(address, bytes)
    }

    fun liveOverlap(slabs: List<Slab>): Boolean =
        slabs.map { it.memory.address() to it.bytes }.sortedBy { it.first }
            .zipWithNext().any { (a, b) -> a.first + a.second > b.first }
}
