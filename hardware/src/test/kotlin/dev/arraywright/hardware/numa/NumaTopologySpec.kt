package dev.arraywright.hardware.numa

import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.property.Arb
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import kotlin.io.path.readText
import kotlin.io.path.writeText

class NumaTopologySpec : StringSpec({
    fun sys(name: String) = SystemTree(TreeFixture.of(name).resolve("sys"))

    "a server's nodes, distances and memory" {
        val topology = NumaTopology.of(sys("server")).shouldNotBeNull()
        topology.nodes.map { it.id } shouldBe listOf(0, 1)
        topology.node(0)!!.cpus shouldBe listOf(0, 1, 2, 3)
        topology.node(1)!!.cpus shouldBe listOf(4, 5, 6, 7)
        topology.node(0)!!.memoryTotal shouldBe 98830252L * 1024
        topology.node(1)!!.memoryFree shouldBe 88120944L * 1024
        topology.distance(0, 0) shouldBe 10
        topology.distance(0, 1) shouldBe 21
        topology.nearest(0) shouldBe listOf(1)
        NumaTopology.absence(sys("server")).shouldBeNull()
    }

    "one node is no topology, and neither is none: it says which" {
        for (name in listOf("kvm", "firecracker")) {
            NumaTopology.of(sys(name)).shouldBeNull()
            NumaTopology.absence(sys(name)) shouldBe "the machine has one NUMA node"
        }
        NumaTopology.of(sys("container")).shouldBeNull()
        NumaTopology.absence(sys("container"))!! shouldContain "there is no"
    }

    "ids with gaps, nodes of memory or CPUs alone, and one that is offline" {
        val topology = NumaTopology.of(sys("numa-odd")).shouldNotBeNull()
        topology.nodes.map { it.id } shouldBe listOf(0, 8, 250)
        topology.node(8)!!.run { cpus shouldBe emptyList() }
        topology.node(250)!!.run {
            memoryTotal shouldBe 0
            cpus shouldBe listOf(8, 9, 10, 11, 64)
        }
        topology.node(9).shouldBeNull()
        topology.distance(250, 8) shouldBe 28
        topology.distance(0, 9).shouldBeNull()
        topology.memory(250).shouldBeNull()
    }

    "PCI devices are their node's; one without a node, or on a node that is not online, is nobody's" {
        val topology = NumaTopology.of(sys("numa-odd")).shouldNotBeNull()
        topology.nodes.map { it.pciDevices } shouldBe
            listOf(listOf("0000:00:17.0", "0000:3b:00.0"), emptyList(), listOf("0000:d8:00.0"))
    }

    "the nearest come by distance, then by id; from a node that is not there, by id" {
        val topology = NumaTopology.of(sys("numa-odd")).shouldNotBeNull()
        topology.nearest(0) shouldBe listOf(8, 250)
        topology.nearest(8) shouldBe listOf(0, 250)
        topology.nearest(250) shouldBe listOf(0, 8)
        topology.nearest(77) shouldBe listOf(0, 8, 250)
        val line = TreeFixture.write(
            (0..3).flatMap { id ->
                val row = (0..3).joinToString(" ") { "${10 + 10 * maxOf(it - id, id - it)}" }
                listOf("sys/devices/system/node/node$id/distance = $row\\n")
            },
        )
        NumaTopology.of(SystemTree(line.resolve("sys")))!!.nearest(2) shouldBe listOf(1, 3, 0)
    }

    "free memory is asked anew" {
        val root = TreeFixture.of("server")
        val topology = NumaTopology.of(SystemTree(root.resolve("sys"))).shouldNotBeNull()
        val file = root.resolve("sys/devices/system/node/node1/meminfo")
        file.writeText(file.readText().replace(Regex("(MemFree: +)\\d+"), "$14096"))
        topology.freeMemory(1) shouldBe 4096 * 1024
        topology.node(1)!!.memoryFree shouldBe 88120944L * 1024
        topology.freeMemory(5) shouldBe null
    }

    "this machine answers in one of the two ways" {
        val topology = NumaTopology.of()
        (topology == null) shouldBe (NumaTopology.absence() != null)
        topology?.nodes?.forEach { it.memoryTotal shouldBeGreaterThanOrEqual it.memoryFree }
    }

    "whatever stands in a node's files is skipped where it is not understood" {
        val words = Arb.element(
            "Node",
            "0",
            "MemFree:",
            "MemTotal:",
            "Inactive(file):",
            "kB",
            "-1",
            "99999999999999999999",
            "",
        )
        checkAll(2000, Arb.list(words, 0..7)) { NodeMemory.parse(listOf(it.joinToString(" "))) }
        checkAll(1000, Arb.string(0..60)) { NodeMemory.parse(it.lines()) }
        NodeMemory.parse(listOf("Node 0 MemFree: 9007199254740991 kB")).free shouldBe 9007199254740991 * 1024
        NodeMemory.parse(listOf("Node 0 MemFree: 9223372036854775807 kB", "Node 0 MemFree: -4 kB")).free shouldBe 0
    }

    "a topology of nonsense is none" {
        val nonsense = TreeFixture.write(
            listOf(
                "sys/devices/system/node/online = 0-\\n",
                "sys/devices/system/node/node0/distance = \\n",
                "sys/devices/system/node/node99999999/cpulist = 0\\n",
            ),
        )
        NumaTopology.of(SystemTree(nonsense.resolve("sys"))).shouldBeNull()
        NumaTopology.absence(SystemTree(nonsense.resolve("sys"))).shouldNotBeNull()
    }
})
