package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private const val MIB = 1L shl 20
private const val GIB = 1L shl 30

class SourcesSpec : StringSpec({
    fun Path.sources() = Sources.of(
        SystemTree(resolve("sys")),
        SystemTree(resolve("proc")),
        MemoryOptions(),
        null,
        "nothing is watched in a captured tree",
    )

    fun statuses(name: String) = TreeFixture.of(name).sources().map { it.open {} }

    fun Path.moment(now: Duration = Duration.ZERO) = Moment(now, SystemTree(resolve("proc"))) { 1000 * MIB }

    fun List<PressureSourceStatus>.active() = associate { it.source to it.active }

    fun List<PressureSourceStatus>.why(name: String) = first { it.source == name }.detail

    fun Path.opened(name: String): PressureSource = sources().first {
        it.name == name
    }.apply { open {}.active shouldBe true }

    fun Path.edit(file: String, from: String, to: String) = resolve(file).run {
        val text = readText()
        check(from in text) { "no '$from' in $text" }
        writeText(text.replace(from, to))
    }

    fun Path.available(mib: Long) {
        val meminfo = resolve("proc/meminfo")
        meminfo.writeText(meminfo.readText().replace(Regex("MemAvailable: +\\d+"), "MemAvailable: ${mib * 1024}"))
    }

    "a server with cgroup v2 has stalls, its cgroups and what is available, but no balloon" {
        val all = statuses("server")
        all.active() shouldContainExactly mapOf(
            "psi" to true,
            "cgroup-psi" to true,
            "cgroup" to true,
            "cgroup-level" to false,
            "available" to true,
            "balloon" to false,
        )
        all.why("psi") shouldContain "sampled: nothing is watched"
        all.why("cgroup") shouldContain "limits: none"
        all.why("cgroup-level") shouldContain "in no cgroup v1"
        all.why("balloon") shouldContain "does not count"
    }

    "guests have a balloon, counted where their kernel counts it, and what a service's cgroup is limited to" {
        val kvm = statuses("kvm")
        kvm.why("balloon") shouldBe "sampled from vmstat; virtio3 holds ${512 * MIB} bytes"
        kvm.why("cgroup") shouldContain "store.slice/arraywright.service $GIB, fs/cgroup/store.slice ${768 * MIB}"
        val firecracker = statuses("firecracker")
        firecracker.why("balloon") shouldBe "sampled from meminfo; virtio0 (with free page reporting) holds 0 bytes"
        firecracker.why("cgroup-psi") shouldContain "the same as psi"
    }

    "without /sys and PSI what is available remains, and without /proc nothing, for a reason each" {
        val container = statuses("container")
        container.filter { it.active }.map { it.source } shouldBe listOf("available")
        container.why("psi") shouldContain "there is no"
        container.why("cgroup") shouldContain "cgroup v2 is not mounted"
        val nothing = TreeFixture.write(emptyList()).sources().map { it.open {} }
        nothing.none { it.active } shouldBe true
        nothing.all { it.detail.isNotBlank() } shouldBe true
    }

    "none of the fixtures is under pressure, a cgroup near its limit apart" {
        for (name in listOf("server", "firecracker", "container")) {
            val root = TreeFixture.of(name)
            val active = root.sources().filter { it.open {}.active }
            active.map { it.look(root.moment()).level }.distinct() shouldBe listOf(Level.NONE)
        }
    }

    "what is available is asked for up to the reserve" {
        val root = TreeFixture.of("container")
        val source = root.opened("available")
        val reserve = 8_048_000L * 1024 / 16
        root.available(300)
        source.look(root.moment()) shouldBe Demand("available", Level.MEDIUM, Level.MEDIUM, reserve - 300 * MIB)
        root.resolve("proc/meminfo").writeText("rubbish")
        source.look(root.moment()).level shouldBe Level.NONE
    }

    "the tightest cgroup counts, without cached files that are not in use" {
        val root = TreeFixture.of("kvm")
        val source = root.opened("cgroup")
        // Of 768 MiB of the slice 700 are charged, 200 of which are such files.
        source.look(root.moment()).level shouldBe Level.NONE
        root.edit("sys/fs/cgroup/store.slice/memory.stat", "\ninactive_file ${200 * MIB}", "\ninactive_file 0")
        root.edit("sys/fs/cgroup/store.slice/memory.current", "${700 * MIB}", "${740 * MIB}")
        source.look(root.moment()) shouldBe Demand("cgroup", Level.MEDIUM, Level.MEDIUM, 20 * MIB)
        root.edit("sys/fs/cgroup/store.slice/memory.current", "${740 * MIB}", "${800 * MIB}")
        source.look(root.moment()) shouldBe Demand("cgroup", Level.CRITICAL, Level.CRITICAL, 80 * MIB)
        root.edit("sys/fs/cgroup/store.slice/memory.max", "${768 * MIB}", "max")
        source.look(root.moment()).level shouldBe Level.NONE
        root.resolve("sys/fs/cgroup/store.slice").toFile().deleteRecursively()
        source.look(root.moment()).level shouldBe Level.NONE
    }

    "a limit of cgroup v1 that is set later is seen within a minute" {
        val root = TreeFixture.of("firecracker")
        val source = root.opened("cgroup")
        source.look(root.moment()).level shouldBe Level.NONE
        val own = "sys/fs/cgroup/memory/process_api"
        root.edit("$own/memory.limit_in_bytes", "9223372036854771712", "$GIB")
        source.look(root.moment(59.seconds)).level shouldBe Level.NONE
        // 2 GiB are charged, 1 GiB of them spare, and a 16th of the limit should be left.
        source.look(root.moment(60.seconds)) shouldBe Demand("cgroup", Level.CRITICAL, Level.CRITICAL, 64 * MIB)
    }

    "stalls ask for a part of what the process can give back, as long as they last" {
        val root = TreeFixture.of("kvm")
        val source = root.opened("cgroup-psi")
        val file = root.resolve("sys/fs/cgroup/store.slice/arraywright.service/memory.pressure")

        fun stalled(micros: Long) = file.writeText(
            "some avg10=0.00 avg60=0 avg300=0 total=$micros\nfull avg10=0.00 total=567\n",
        )
        source.look(root.moment(1.seconds)).level shouldBe Level.NONE
        stalled(1234 + 300_000)
        source.look(root.moment(2.seconds)) shouldBe Demand("psi", Level.MEDIUM, Level.CRITICAL, 300 * MIB)
        stalled(1234 + 350_000)
        source.look(root.moment(3.seconds)) shouldBe Demand("psi", Level.NONE, Level.LOW, 0)
        source.look(root.moment(4.seconds)) shouldBe Demand.none("psi")
    }

    "stalls of the machine count only while it is short of memory itself" {
        val root = TreeFixture.of("kvm")
        val source = root.opened("psi")
        root.resolve("proc/pressure/memory").writeText("some avg10=50.00 total=1\nfull avg10=0.00 total=1\n")
        source.look(root.moment(1.seconds)) shouldBe Demand.none("psi")
        root.available(500)
        source.look(root.moment(2.seconds)) shouldBe Demand("psi", Level.MEDIUM, Level.CRITICAL, 500 * MIB)
    }

    "a balloon that grows while memory runs short asks for what it took, and ahead while it grows" {
        val root = TreeFixture.of("firecracker")

        fun balloon(mib: Long) {
            val meminfo = root.resolve("proc/meminfo")
            meminfo.writeText(meminfo.readText().replace(Regex("Balloon: +\\d+"), "Balloon: ${mib * 1024}"))
        }
        val source = root.opened("balloon")
        balloon(1024)
        source.look(root.moment()) shouldBe Demand.none("balloon")
        balloon(1536)
        root.available(1200)
        // A reserve of 1 GiB, and 512 MiB that it may take next.
        source.look(root.moment()) shouldBe Demand("balloon", Level.LOW, Level.MEDIUM, 336 * MIB)
        source.look(root.moment()) shouldBe Demand.none("balloon")
        balloon(1546)
        root.available(500)
        source.look(root.moment()) shouldBe Demand("balloon", Level.MEDIUM, Level.MEDIUM, 10 * MIB)
        balloon(100)
        source.look(root.moment()) shouldBe Demand.none("balloon")
    }
})
