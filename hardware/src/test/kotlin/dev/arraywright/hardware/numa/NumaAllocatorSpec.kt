package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Mapping
import dev.arraywright.hardware.linux.NumaCalls
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.property.Arb
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.checkAll
import java.lang.foreign.ValueLayout.JAVA_BYTE

class NumaAllocatorSpec : StringSpec({
    "a buffer comes to lie on the node wished for" {
        val machine = FakeMachine(node(0, free = 512), node(1, free = 512))
        for (wished in 0..1) {
            machine.allocator().allocate(64 * MIB, wished).use {
                it.placement shouldBe NumaPlacement.Bound
                it.node shouldBe wished
                machine.nodesOf(it) shouldBe setOf(wished)
            }
        }
        machine.mapped shouldBe 0
    }

    "a node without room is passed over for the nearest one that has it" {
        val machine = FakeMachine(node(0, free = 60), node(1, free = 512), node(2, free = 512))
        machine.allocator().allocate(64 * MIB, 0).use {
            it.placement.shouldBeInstanceOf<NumaPlacement.Fallback>().run {
                node shouldBe 1
                why shouldBe "node 0 has 28 MiB to spare, not 64"
            }
            machine.nodesOf(it) shouldBe setOf(1)
            machine.askedFor shouldBe setOf(1)
        }
    }

    "page cache is no obstacle: what the kernel put elsewhere meanwhile is moved" {
        val machine = FakeMachine(node(0, free = 48, cache = 200), node(1, free = 512))
        machine.allocator().allocate(64 * MIB, 0).use {
            it.placement shouldBe NumaPlacement.Bound
            machine.nodesOf(it) shouldBe setOf(0)
        }
    }

    "a node that looked as if it had room, and had not, is given up for the next, and the pages go along" {
        val machine = FakeMachine(node(0, free = 512, really = 16), node(1, free = 512))
        machine.allocator().allocate(64 * MIB, 0).use {
            it.placement shouldBe NumaPlacement.Fallback(1, "node 0 did not take all of it")
            machine.nodesOf(it) shouldBe setOf(1)
        }
    }

    "if no node takes all of it, it lies where the kernel has it" {
        val machine = FakeMachine(node(0, free = 512, really = 40), node(1, free = 512, really = 40))
        machine.allocator().allocate(64 * MIB, 0).use {
            it.node shouldBe -1
            it.placement.shouldBeInstanceOf<NumaPlacement.Anywhere>().why shouldContain "node 1 did not take all of it"
            machine.nodesOf(it) shouldBe setOf(0, 1)
        }
    }

    "what has room nowhere is not touched" {
        val machine = FakeMachine(node(0, free = 60), node(1, free = 60))
        machine.allocator().allocate(64 * MIB, 0).use {
            it.node shouldBe -1
            it.placement.shouldBeInstanceOf<NumaPlacement.Anywhere>()
            machine.nodesOf(it) shouldBe emptySet()
        }
    }

    "where placing is forbidden or unknown the buffer is anywhere, with the reason" {
        for ((errno, reason) in listOf(
            Errno.EPERM to "seccomp",
            Errno.ENOSYS to "built without NUMA",
            99 to "errno 99",
        )) {
            val machine = FakeMachine(node(0, free = 512), node(1, free = 512))
            machine.refuses = { errno }
            machine.allocator().allocate(MIB, 1).use {
                it.placement.shouldBeInstanceOf<NumaPlacement.Anywhere>().why shouldContain reason
            }
        }
    }

    "a node that the cpuset forbids is passed over" {
        val machine = FakeMachine(node(0, free = 512), node(1, free = 512))
        machine.refuses = { if (it == 1) Errno.EINVAL else 0 }
        machine.allocator().allocate(MIB, 1).use {
            it.placement.shouldBeInstanceOf<NumaPlacement.Fallback>().run {
                node shouldBe 0
                why shouldContain "Mems_allowed"
            }
        }
    }

    "where the kernel does not tell, nothing is claimed" {
        val machine = FakeMachine(node(0, free = 512), node(1, free = 512))
        machine.secretive = Errno.EPERM
        machine.allocator().allocate(MIB, 1).use {
            it.node shouldBe -1
            it.placement.shouldBeInstanceOf<NumaPlacement.Anywhere>().why shouldContain "errno 1"
            machine.nodesOf(it) shouldBe setOf(1)
        }
    }

    "a node of CPUs alone, or none, falls back" {
        val machine = FakeMachine(node(0, free = 0, total = 0), node(1, free = 512))
        machine.allocator().allocate(MIB, 0).use {
            it.placement shouldBe NumaPlacement.Fallback(1, "node 0 has no memory")
        }
        machine.allocator().allocate(MIB, 7).use {
            it.placement shouldBe NumaPlacement.Fallback(1, "node 7 is not online; node 0 has no memory")
        }
    }

    "without a topology it is anywhere, without mappings a plain allocation" {
        val machine = FakeMachine(node(0, free = 512))
        NumaAllocator(null, "the machine has one NUMA node", machine, null).allocate(MIB, 0).use {
            it.placement shouldBe NumaPlacement.Anywhere("the machine has one NUMA node")
        }
        machine.full = true
        machine.allocator().allocate(MIB, 0).use {
            it.placement.shouldBeInstanceOf<NumaPlacement.Plain>().why shouldContain "would not map"
            it.memory.set(JAVA_BYTE, MIB - 1, 1)
        }
        NumaAllocator(null, null, machine, "Mac OS X is not Linux").allocate(10, 0).use {
            it.placement shouldBe NumaPlacement.Plain("Mac OS X is not Linux")
            it.memory.address() % 4096 shouldBe 0
        }
    }

    "whatever the nodes hold, a buffer is where it says, and nothing stays mapped" {
        val amount = Arb.element(0, 8, 30, 64, 200)
        checkAll(500, Arb.list(amount, 3..3), Arb.list(amount, 3..3), Arb.list(amount, 3..3), Arb.int(0..3)) {
            free,
            cache,
            really,
            wished,
            ->
            if ((0..2).sumOf { cache[it] + minOf(free[it], really[it]) } < 8) return@checkAll
            val machine = FakeMachine(
                *Array(3) { node(it, free[it], cache = cache[it], really = minOf(free[it], really[it])) },
            )
            machine.allocator().allocate(8 * MIB, wished).use {
                val nodes = machine.nodesOf(it)
                when (val placement = it.placement) {
                    is NumaPlacement.Bound -> nodes shouldBe setOf(wished)
                    is NumaPlacement.Fallback -> nodes shouldBe setOf(placement.node)
                    is NumaPlacement.Anywhere -> if (it.node >= 0) nodes shouldBe setOf(it.node)
                    is NumaPlacement.Plain -> error("it can be mapped")
                }
                if (it.placement !is NumaPlacement.Anywhere) it.node shouldBe nodes.single()
            }
            machine.mapped shouldBe 0
        }
    }

    "on this machine: zeroed memory that can be used, until it is closed" {
        val buffer = NumaAllocator().allocate(3 * MIB + 5, 0)
        buffer.memory.byteSize() shouldBe 3 * MIB + 5
        buffer.memory.get(JAVA_BYTE, 3 * MIB + 4) shouldBe 0
        buffer.memory.set(JAVA_BYTE, 3 * MIB + 4, 7)
        buffer.close()
        buffer.close()
        shouldThrow<IllegalStateException> { buffer.memory.get(JAVA_BYTE, 0) }
        shouldThrow<IllegalArgumentException> { NumaAllocator().allocate(0, 0) }
    }

    "this kernel's calls: node 0 takes pages and says so, a node that is not there is refused" {
        val address = Mapping.map(MIB)
        try {
            val preferred = NumaCalls.prefer(address, MIB, 0)
            preferred shouldBeIn listOf(0, -Errno.EPERM, -Errno.ENOSYS)
            if (preferred == 0) {
                RealNodePages.touch(address, MIB)
                NumaCalls.nodeOf(address + MIB / 2) shouldBe 0
                NumaCalls.move(address, MIB, 0) shouldBe 0
                NumaCalls.forget(address, MIB) shouldBe 0
                NumaCalls.prefer(address, MIB, 1000) shouldBe -Errno.EINVAL
                NumaCalls.prefer(address, MIB, 4000) shouldBe -Errno.EINVAL
                refusal(3, Errno.EINVAL) shouldContain "node 3"
            }
        } finally {
            Mapping.unmap(address, MIB)
        }
    }
})

private const val MIB = 1L shl 20

private class FakeNode(val id: Int, val free: Int, val cache: Int, val total: Int, really: Int) {
    val pages = LongArray(1) { really * MIB / 4096 }
    val cached = LongArray(1) { cache * MIB / 4096 }
}

/** Sizes in MiB; [really] is what is left by the time that somebody asks for it. */
private fun node(id: Int, free: Int, cache: Int = 0, total: Int = 1024, really: Int = free) =
    FakeNode(id, free, cache, total, really)

/**
 * Nodes in a row, whose kernel puts a page on the preferred node while that has free ones and else on the first that
 * has, and gives up page cache only for a page that is to be moved. Strict: it counts as a failure what a kernel would
 * not take, and a page that is asked for its node before it was touched.
 */
private class FakeMachine(private vararg val nodes: FakeNode) : NodePages {
    private class Range(val bytes: Long) {
        var preferred: Int? = null
        var pages: IntArray? = null
    }

    private val ranges = HashMap<Long, Range>()
    private var next = 1L shl 40
    val mapped: Int get() = ranges.size
    val askedFor = HashSet<Int>()
    var refuses: (Int) -> Int = { 0 }
    var secretive = 0
    var full = false

    fun allocator(): NumaAllocator {
        val lines = nodes.flatMap { node ->
            val path = "sys/devices/system/node/node${node.id}"
            val distances = nodes.joinToString(" ") { "${10 + 10 * kotlin.math.abs(it.id - node.id)}" }
            val memory = mapOf("MemTotal" to node.total, "MemFree" to node.free, "Inactive(file)" to node.cache)
            val info = memory.entries.joinToString("") { (key, mib) -> "Node ${node.id} $key: ${mib * 1024} kB\\n" }
            listOf("$path/distance = $distances\\n", "$path/meminfo = $info")
        }
        val sys = SystemTree(TreeFixture.write(lines).resolve("sys"))
        return NumaAllocator(NumaTopology.of(sys), NumaTopology.absence(sys), this, null)
    }

    fun nodesOf(buffer: NumaBuffer): Set<Int> =
        ranges.getValue(buffer.memory.address()).pages?.toSet().orEmpty()

    override fun map(bytes: Long): Long {
        if (full) return 0
        val address = next
        next += (bytes + 8191) / 4096 * 4096
        ranges[address] = Range(bytes)
        return address
    }

    override fun unmap(address: Long, bytes: Long) {
        val range = checkNotNull(ranges.remove(address)) { "not mapped" }
        check(range.bytes == bytes)
        range.pages?.forEach { give(it) }
    }

    override fun prefer(address: Long, bytes: Long, node: Int): Int {
        askedFor += node
        val refused = refuses(node)
        if (refused == 0) range(address, bytes).preferred = node
        return -refused
    }

    override fun forget(address: Long, bytes: Long): Int {
        range(address, bytes).preferred = null
        return 0
    }

    override fun touch(address: Long, bytes: Long) {
        val range = range(address, bytes)
        check(range.pages == null) { "touched before" }
        val order = nodes.sortedBy { if (it.id == range.preferred) -1 else it.id }
        range.pages = IntArray(((bytes + 4095) / 4096).toInt()) {
            val from = order.firstOrNull { it.pages[0] > 0 } ?: order.first { it.cached[0] > 0 }
            take(from)
            from.id
        }
    }

    override fun move(address: Long, bytes: Long, node: Int): Int {
        val pages = checkNotNull(range(address, bytes).pages) { "not resident" }
        val target = nodes.first { it.id == node }
        for (i in pages.indices) {
            if (pages[i] == node || target.pages[0] + target.cached[0] == 0L) continue
            take(target)
            give(pages[i])
            pages[i] = node
        }
        return 0
    }

    override fun nodeOf(address: Long): Int {
        if (secretive != 0) return -secretive
        val (start, range) = ranges.entries.single { address in it.key until it.key + it.value.bytes }
        return checkNotNull(range.pages) { "not touched" }[((address - start) / 4096).toInt()]
    }

    private fun range(address: Long, bytes: Long) = ranges.getValue(address).also { check(it.bytes == bytes) }

    private fun take(node: FakeNode) {
        if (node.pages[0] > 0) node.pages[0]-- else node.cached[0]--
    }

    private fun give(id: Int) {
        nodes.first { it.id == id }.pages[0]++
    }
}
