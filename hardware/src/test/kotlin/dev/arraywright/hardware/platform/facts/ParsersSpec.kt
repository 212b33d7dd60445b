package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.hardware.platform.HypervisorKind
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.byte
import io.kotest.property.arbitrary.byteArray
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.map
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import java.nio.file.Files

class ParsersSpec : StringSpec({
    "cpuinfo: what all processors have, and no more" {
        val one = "processor\t: 0\nvendor_id : A\nmodel name\t: M : N\nflags\t: fpu sha_ni  gfni\n\n"
        val text = one + "processor : 1\nflags : fpu sha_ni\n"
        CpuInfoParser.parse(text) shouldBe CpuInfo("A", "M : N", 2, setOf("fpu", "sha_ni"), true)
        CpuInfoParser.parse("") shouldBe CpuInfo(null, null, 0, emptySet(), false)
        CpuInfoParser.parse("isa : rv64imafdc_zba").flags shouldContainExactly setOf("rv64imafdc", "zba")
    }

    "command line: quoted values keep their blanks, and what is for process 1 is left out" {
        CommandLineParser.parse("ro  a=\"b c\" \"d=e f\"\tg= x=1=2 -- ro h=i\n") shouldBe
            listOf("ro" to null, "a" to "b c", "d" to "e f", "g" to "", "x" to "1=2")
    }

    "ACPI: the maker, or nothing where there is no header" {
        val table = "FACP" + "\u0000".repeat(6) + "BOCHS BXPC" + "\u0000".repeat(4)
        AcpiHeader.oem(table.toByteArray()) shouldBe "BOCHS BXPC"
        AcpiHeader.oem(ByteArray(23)).shouldBeNull()
    }

    val pieces = Arb.element(
        listOf(" ", "\n", "\t", ":", "::", "=", "\"", "\\", "\\04", "\\777", "-", " - ", "0", "4026531836", "[", "]") +
            listOf("/", "flags", "Features", "processor", "hypervisor", "avx2", "kvm", "docker", "\u0000", "é") +
            listOf("virtio_mmio.device", "cgroup2", "FIRECK"),
    )
    val texts = Arb.list(pieces, 0..40).map { it.joinToString("") }

    "no text makes a parser fail" {
        for (arbitrary in listOf(texts, Arb.string(0..200))) {
            checkAll(3_000, arbitrary) { text ->
                CpuInfoParser.parse(text)
                CommandLineParser.parse(text)
            }
        }
        checkAll(2_000, Arb.byteArray(Arb.int(0..64), Arb.byte())) {
            AcpiHeader.oem(it)
            it.strings()
        }
    }

    "no content of any file makes the detector fail" {
        val files = TREES.flatMap { tree ->
            val root = TreeFixture.of(tree)
            Files.walk(root).use { walk -> walk.filter(Files::isRegularFile).map { root to it }.toList() }
        }
        checkAll(300, Arb.element(files), texts) { (root, file), text ->
            val before = Files.readAllBytes(file)
            Files.writeString(file, text)
            HypervisorDetector(root, null, null, emptyMap()).detect()
            Files.write(file, before)
        }
    }

    "no DMI text is taken for more than it begins with" {
        checkAll(2_000, texts, texts) { vendor, product ->
            val facts = PlatformFacts(dmi = mapOf("sys_vendor" to vendor, "product_name" to product))
            HypervisorRules.judge(facts).kind shouldBe HypervisorKind.BARE_METAL
        }
    }
}) {
    private companion object {
        val TREES = listOf("qemu", "xen-dom0", "podman", "virtualbox", "arm")
    }
}
