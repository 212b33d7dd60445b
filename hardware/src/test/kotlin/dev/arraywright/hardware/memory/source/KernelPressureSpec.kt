package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.LinuxCalls
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.Triggers
import dev.arraywright.hardware.memory.figures.Lineage
import dev.arraywright.hardware.memory.figures.MemoryCgroup
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.annotation.Isolate
import io.kotest.core.spec.style.StringSpec
import io.kotest.core.test.Enabled
import io.kotest.core.test.EnabledOrReasonIf
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import jdk.jfr.Recording
import jdk.jfr.consumer.RecordingFile
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.isWritable
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.minutes

private const val PSI = "/proc/pressure/memory"
private val cgroups = Path.of("/sys/fs/cgroup/memory")

/** With the running kernel. */
@Isolate
@OptIn(ExperimentalCoroutinesApi::class)
class KernelPressureSpec : StringSpec({
    fun unless(missing: () -> String?): EnabledOrReasonIf =
        { missing()?.let(Enabled::disabled) ?: Enabled.enabled }

    val psi = unless(::missingPsi)
    val firstCgroups = unless(::missingCgroups)

    "a trigger of the kernel's is armed, whatever window it allows, and leaves no descriptor behind".config(
        enabledOrReasonIf = psi,
    ) {
        Poller().use { poller ->
            repeat(20) {
                val source = PsiSource("psi", SystemTree.PROC, "pressure/memory", true, MemoryOptions(), poller, null)
                source.open {}.detail shouldContain Regex("the kernel wakes it: some (75000 1000000|150000 2000000)")
                descriptors(PSI) shouldBe 1
                source.look(Moment(Duration.ZERO, SystemTree.PROC) { 0 }).level shouldBe Level.NONE
                source.close()
                source.close()
                descriptors(PSI) shouldBe 0
            }
        }
    }

    "a monitor of this machine says how each source is watched, and closes them all".config(enabledOrReasonIf = psi) {
        coroutineScope {
            val monitor = MemoryMonitor(coroutineContext)
            val status = monitor.status.first { it.isNotEmpty() }
            status.map {
                it.source
            } shouldBe listOf("psi", "cgroup-psi", "cgroup", "cgroup-level", "available", "balloon")
            status.filter { it.active }.map { it.source } shouldContain "available"
            monitor.refresh()
            monitor.close()
        }
        eventually { descriptors(PSI) shouldBe 0 }
    }

    "idle, one file is read a second".config(enabledOrReasonIf = psi) {
        runTest {
            val poller = Poller()
            val io = StandardTestDispatcher(testScheduler)
            val monitor = MemoryMonitor(
                coroutineContext,
                SystemTree.PROC,
                MemoryOptions(),
                testScheduler.timeSource,
                io,
                { Sources.of(SystemTree.SYS, SystemTree.PROC, MemoryOptions(), poller) },
                poller::close,
            )
            runCurrent()
            val limits = monitor.status.value.first { it.source == "cgroup" }.detail
            val reads = filesRead { advanceTimeBy(1.minutes) }
            monitor.close()
            reads.remove("/proc/meminfo").shouldNotBeNull() shouldBeInRange 58..61
            // Once a minute whether there are limits, and else nothing where there are none.
            val other = reads.filterValues { it > 2 }
            if ("limits: none" in limits) other.shouldBeEmpty()
        }
    }

    "a cgroup v1 at its limit tells its level, and how far it is from that".config(enabledOrReasonIf = firstCgroups) {
        limited(48) { directory ->
            val cgroup = MemoryCgroup(1, "fs/cgroup/memory/${directory.fileName}", SystemTree.SYS)
            val lineage = Lineage(listOf(cgroup), null)
            Poller().use { poller ->
                val wakes = LinkedBlockingQueue<Unit>()
                val levels = CgroupLevelSource(lineage, poller, null)
                levels.open { wakes += Unit }.active shouldBe true
                val limits = CgroupSource(listOf(lineage), MemoryOptions(), poller)
                limits.open {}.detail shouldContain "${48 shl 20}"
                squeeze(directory)
                wakes.poll(30, TimeUnit.SECONDS).shouldNotBeNull()
                val demand = levels.look(Moment(Duration.ZERO, SystemTree.PROC) { 1000 })
                demand.level shouldBeGreaterThan Level.NONE
                demand.source shouldBe "cgroup"
                limits.look(Moment(Duration.ZERO, SystemTree.PROC) { 0 }).source shouldBe "cgroup"
                levels.close()
                limits.close()
            }
        }
    }

    "the kernel wakes a trigger when tasks stall".config(
        enabledOrReasonIf = unless {
            missingPsi() ?: missingCgroups()
        },
    ) {
        val options = MemoryOptions(stall = 250.microseconds)
        Poller().use { poller ->
            limited(48) { directory ->
                val wakes = LinkedBlockingQueue<Unit>()
                val source = PsiSource("psi", SystemTree.PROC, "pressure/memory", false, options, poller, null)
                source.open { wakes += Unit }.active shouldBe true
                // Each costs a few milliseconds of stalls, told at the end of a window at the latest.
                val woken = generateSequence {
                    squeeze(directory)
                }.take(10).any { wakes.poll(3, TimeUnit.SECONDS) != null }
                woken shouldBe true
                source.look(Moment(Duration.ZERO, SystemTree.PROC) { 1 shl 20 }).level shouldBeGreaterThan Level.NONE
                source.close()
            }
        }
    }

    "a page has the kernel's size, and only an eventfd that was counted up is drained".config(enabledOrReasonIf = psi) {
        (Triggers.pageSize and (Triggers.pageSize - 1)) shouldBe 0
        Descriptor.event().use { Triggers.drain(it) shouldBe false }
        Epoll.EPOLLPRI shouldBe 2
    }
})

private fun missingPsi(): String? = LinuxCalls.absence ?: "no $PSI".takeUnless { Path.of(PSI).isWritable() }

private fun missingCgroups(): String? =
    LinuxCalls.absence ?: "no cgroup v1 to write to".takeUnless {
        cgroups.resolve("cgroup.event_control").exists() && cgroups.isWritable()
    }

/** With a cgroup of its own, limited to so many MiB. */
private fun limited(mib: Int, test: (Path) -> Unit) {
    val directory = cgroups.resolve("arraywright-spec-${ProcessHandle.current().pid()}").createDirectory()
    try {
        directory.resolve("memory.limit_in_bytes").writeText("${mib shl 20}")
        test(directory)
    } finally {
        eventually { directory.deleteExisting() }
    }
}

private fun descriptors(target: String): Int =
    Path.of("/proc/self/fd").listDirectoryEntries().count { link ->
        runCatching { Files.readSymbolicLink(link).toString() == target }.getOrDefault(false)
    }

/** Takes memory in the cgroup until the kernel kills it. */
private fun squeeze(cgroup: Path) {
    val script = "echo $$ > $cgroup/cgroup.procs && exec tail /dev/zero"
    ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start().run {
        outputStream.close()
        waitFor(60, TimeUnit.SECONDS) shouldBe true
    }
}

/** How often each file of the kernel's was read meanwhile. */
private suspend fun filesRead(work: suspend () -> Unit): MutableMap<String, Int> {
    val dump = Files.createTempFile(Path.of("target"), "reads", ".jfr")
    Recording().use { recording ->
        recording.enable("jdk.FileRead").withoutThreshold().withoutStackTrace()
        recording.start()
        work()
        recording.stop()
        recording.dump(dump)
    }
    val paths = RecordingFile.readAllEvents(dump).filter { it.eventType.name == "jdk.FileRead" }
        // A read of a whole file ends with one that finds its end.
        .filter { !it.getBoolean("endOfFile") }.map { it.getString("path") }
    dump.deleteExisting()
    return paths.filter { it.startsWith("/proc") || it.startsWith("/sys") }.groupingBy { it }.eachCount().toMutableMap()
}
