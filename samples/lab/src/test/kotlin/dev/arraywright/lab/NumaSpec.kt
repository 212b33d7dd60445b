package dev.arraywright.lab

import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/**
 * The guest has two nodes with a CPU, 1 GiB and a PCI bridge each; drives 0 and 2 hang on the one, 1 and 3 on the
 * other. [NumaProbe] runs in it once; here it is compared with the wiring.
 */
class NumaSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64", "mdadm", "dmsetup")
    val lab = Lab()
    afterSpec { lab.close() }
    var log = ""

    fun line(start: String): String =
        log.lines().map { it.substringAfter("] ") }.firstOrNull { it.startsWith(start) } ?: error("no $start in $log")

    "the guest boots, and the probe gets through" {
        lab.expect(listOf(System.getProperty("java.home"), System.getProperty("java.class.path")))
        log = lab.boot("numa.sh")
    }

    "topology and distances are as wired" {
        line("NODE 0") shouldBe "NODE 0 cpus=[0] distances=[10, 21] nearest=[1]"
        line("NODE 1") shouldBe "NODE 1 cpus=[1] distances=[21, 10] nearest=[0]"
        line("PCI 0") shouldContain "0000:2"
        line("PCI 1") shouldContain "0000:4"
    }

    "buffers land on the node asked for, in the kernel's own words too" {
        for (node in 0..1) line("BUFFER plain$node") shouldBe "BUFFER plain$node node=$node Bound kernel=[$node]"
    }

    "buffers of a reserve on a node lie there, small and large" {
        for (node in 0..1) {
            for (size in listOf(4096, 1 shl 20)) {
                line("POOL node=$node size=$size") shouldBe "POOL node=$node size=$size kernel=[$node] absence=null"
            }
        }
    }

    "when a node is full the other takes it, and it says so" {
        line("HELD") shouldBe "HELD Bound [1]"
        line("BUFFER full") shouldContain "BUFFER full node=0 Fallback(node=0, why=node 1 has "
        line("BUFFER full") shouldContain "kernel=[0]"
    }

    "a node full of page cache gives that up" {
        line("BUFFER cached") shouldBe "BUFFER cached node=1 Bound kernel=[1]"
    }

    "devices are where they are wired, through loop, md, device-mapper and file systems" {
        val wired = mapOf("drive0" to 0, "drive1" to 1, "drive2" to 0, "drive3" to 1, "dm0" to 0, "loop1" to 1) +
            mapOf("md0" to 0, "md1" to 1, "file1" to 1, "mixed" to -1, "memory" to -1)
        wired.mapValues { (name, _) ->
            line("DEVICE $name ").substringAfter("node=").substringBefore(' ').toInt()
        } shouldBe wired
    }
})
