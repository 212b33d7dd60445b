package dev.arraywright.admin.cli.machine

import dev.arraywright.admin.Bench
import dev.arraywright.admin.cli.needs
import dev.arraywright.admin.control.machine.CapabilityView
import dev.arraywright.admin.control.machine.ChangeView
import dev.arraywright.admin.control.machine.DeviceDetail
import dev.arraywright.admin.control.machine.HardwareView
import dev.arraywright.admin.control.machine.MemoryView
import dev.arraywright.admin.control.machine.NumaView
import dev.arraywright.admin.control.machine.PlatformView
import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.serialization.json.Json
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** The machine that this runs on, whatever it is, as operators see it. */
class HardwareSpec : StringSpec({
    suspend fun Bench.list(vararg words: String): HardwareView =
        Json.decodeFromString(run("hardware", "list", *words, "-o", "json").ok().out)

    suspend fun Bench.show(name: String): DeviceDetail =
        Json.decodeFromString(run("hardware", "show", name, "-o", "json").ok().out)

    fun Bench.configured(text: String = "") = directory.resolve("c.json").also {
        it.writeText("""{ "http": {"port": 0}, "nbd": {"port": 0} $text }""")
    }

    "without a process that serves it has a look of its own, and says what there is in text and JSON" {
        Bench().use { bench ->
            val all = bench.list("--all").devices
            bench.list().devices.map { it.id } shouldContainExactly all.filter { it.disk }.map { it.id }
            bench.list("--all", "--free").devices.map { it.id } shouldContainExactly
                all.filter { it.free }.map { it.id }
            bench.run("hardware", "list", "--rescan").code shouldBe 0
            val out = bench.run("hardware", "list", "--all").ok().out
            all.forEach { out shouldContain (it.path ?: it.name) }

            val capabilities: List<CapabilityView> =
                Json.decodeFromString(bench.run("hardware", "capabilities", "-o", "json").ok().out)
            capabilities.map { it.name } shouldContain "hypervisor"
            capabilities.all { it.available == (it.absence == null) } shouldBe true
            val platform: PlatformView =
                Json.decodeFromString(bench.run("hardware", "platform", "-o", "json").ok().out)
            platform.hypervisor.kind shouldBe
                HypervisorDetector().detect().hypervisor.name.lowercase().replace('_', '-')
            val memory: MemoryView = Json.decodeFromString(bench.run("hardware", "memory", "-o", "json").ok().out)
            memory.sources.map { it.source } shouldContain "available"
            memory.buffers.limit shouldBe (256L shl 20)
            val numa: NumaView = Json.decodeFromString(bench.run("hardware", "numa", "-o", "json").ok().out)
            numa.absence shouldBe NumaTopology.absence()
            for (part in listOf("capabilities", "platform", "memory", "numa")) bench.run("hardware", part).ok()
        }
    }

    "a serving process is asked, which has thresholds of its own and the reserve that was configured" {
        Bench().use { bench ->
            val file = bench.configured(""", "health": { "wearWarning": 55 }, "memory": { "reserve": "99MiB" }""")
            bench.during("serve", "--config", file) {
                bench.list().thresholds.wearWarning shouldBe 55
                bench.list("--local").thresholds.wearWarning shouldBe 90
                bench.run("hardware", "memory").ok().out.run {
                    if ("available  yes" in this.replace(Regex(" +"), "  ")) this shouldContain "${99L shl 20}"
                }
                bench.list("--all", "--rescan").devices.size shouldBe bench.list("--all").devices.size
            }
        }
    }

    "where the process does not watch, it says how to look, and that works" {
        Bench().use { bench ->
            bench.during("serve", "--config", bench.configured(""", "watch": false""")) {
                for (words in listOf("list", "show x", "capabilities", "platform", "memory", "numa")) {
                    bench.run("hardware", words.split(' ')).run {
                        code shouldBe 1
                        out shouldBe ""
                        err shouldContain "this process does not watch it"
                        err shouldContain "to do: look with --local"
                    }
                }
                bench.run("hardware", "list", "--local").ok()
            }
        }
    }

    "a loop device is shown with its file, as a member of its array and free again afterwards"
        .config(enabledOrReasonIf = needs(Peers.ROOT, Peers.LOOP)) {
            Bench().use { bench ->
                val files = List(2) { bench.directory.resolve("l$it") }
                val (one, two) = files.map { Loop(it) }
                try {
                    bench.show(one.path).device.run {
                        backingFile shouldBe "${files[0].toRealPath()}"
                        free shouldBe true
                    }
                    bench.during("serve", "--config", bench.configured()) {
                        bench.run("create", "vault", "--level", "1", one.path, two.path, "--assume-clean").ok()
                        eventually(10.seconds) { bench.show(one.path).device.inUse shouldBe "member of vault" }
                        bench.show(one.path).device.free shouldBe false
                        bench.list("--all", "--local").devices.single { it.path == two.path }.inUse shouldBe
                            "member of vault"
                        bench.list("--all", "--free").devices.map { it.path } shouldNotContain one.path
                        bench.run("hardware", "show", two.path.removePrefix("/dev/")).ok().out shouldContain
                            "Use : member of vault"
                    }
                    bench.show(one.path).device.free shouldBe true
                } finally {
                    one.close()
                    two.close()
                }
            }
        }

    "what is plugged in and out is told as it happens, after what is there, and it ends in time"
        .config(enabledOrReasonIf = needs(Peers.ROOT, Peers.LOOP)) {
            Bench().use { bench ->
                val told = coroutineScope {
                    Loop(bench.directory.resolve("first")).use { first ->
                        val watching =
                            async { bench.run("hardware", "watch", "--all", "--for", "8s", "-o", "json").ok().out }
                        eventually(7.seconds) {
                            // By then its look is done: the kernel of a second command has had one as well.
                            bench.show(first.path).device.free shouldBe true
                        }
                        val second = Loop(bench.directory.resolve("second")).apply { close() }
                        Triple(first.path, second.path, watching.await())
                    }
                }
                val (first, second, out) = told
                val changes = out.lines().filter { it.isNotBlank() }.map { Json.decodeFromString<ChangeView>(it) }
                withClue(out) {
                    changes.first { it.device.path == first }.change shouldBe "added"
                    changes.filter { it.device.path == second }.map { it.change }.first() shouldBe "added"
                }
            }
        }

    "what cannot be meant is refused with what was meant" {
        Bench().use { bench ->
            val disk = bench.list("--all").devices.firstOrNull { it.path != null }
            if (disk != null) {
                bench.run("hardware", "show", "${disk.path}x").run {
                    code shouldBe 1
                    out shouldBe ""
                    err shouldContain "arraywright: there is no device ${disk.path}x: did you mean"
                    err shouldContain disk.path.shouldNotBeNull()
                    err shouldContain "to do: see what there is: arraywright hardware list --all"
                }
            }
            for (name in listOf("", "none-of-them", "wwn:", "/dev/../dev/null", "a\u0000b", "%2F", "../etc")) {
                bench.run("hardware", "show", name).run {
                    withClue(name) { code shouldBe 1 }
                    err shouldContain "there is no device $name"
                }
            }
            for (words in listOf("show", "watch --for 10", "watch --for -1s", "list x", "lst", "numa --free")) {
                bench.run("hardware", words.split(' ')).run { withClue(words) { code shouldBe 2 } }
            }
        }
    }
})
