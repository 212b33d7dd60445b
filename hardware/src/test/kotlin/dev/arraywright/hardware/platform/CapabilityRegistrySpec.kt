package dev.arraywright.hardware.platform

import dev.arraywright.hardware.platform.probe.BuiltInProbes
import dev.arraywright.hardware.platform.probe.KernelCall
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class CapabilityRegistrySpec : StringSpec({
    val call = KernelCall("none in a fixture") { error("not to be called") }

    fun TestScope.registry(root: Path = TreeFixture.of("qemu"), changes: Flow<Unit> = emptyFlow()): CapabilityRegistry {
        val detector = HypervisorDetector(root, null, "not here", emptyMap())
        return CapabilityRegistry(
            backgroundScope.coroutineContext,
            BuiltInProbes(root, null, call, call, detector),
            changes,
            StandardTestDispatcher(testScheduler),
        )
    }

    fun setHugePages(root: Path, count: Int) =
        Files.writeString(root.resolve("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"), "$count\n")

    "names are known once they were looked at, by their short and their long form" {
        runTest {
            val registry = registry()
            registry.capabilities.value.shouldBeEmpty()
            registry.has("avx2") shouldBe false
            registry.refresh()
            registry.capabilities.value.size shouldBe 14
            registry.has("avx2") shouldBe true
            registry["cpu.avx2"] shouldBe registry["avx2"]
            registry["avx3"].shouldBeNull()
            registry.describe() shouldContain "io_uring: absent, none in a fixture"
        }
    }

    "a watch tells the present state first, then what has lasted for 500 ms" {
        runTest {
            val registry = registry()
            var answer = "one"
            registry.register("mine") { Capability.present("mine", mapOf("is" to answer)) }
            val told = ArrayList<Pair<String, Long>>()
            backgroundScope.launch {
                registry.watch("mine").collect { told += (it.details["is"] ?: it.absence!!) to currentTime }
            }
            runCurrent()
            told shouldBe listOf("one" to 0)
            answer = "two"
            registry.refresh()
            advanceTimeBy(499.milliseconds)
            told.size shouldBe 1
            answer = "three"
            registry.refresh()
            advanceTimeBy(501.milliseconds)
            told shouldBe listOf("one" to 0, "three" to 999)
            // What came and went again is no change.
            answer = "four"
            registry.refresh()
            answer = "three"
            registry.refresh()
            advanceTimeBy(5.seconds)
            told.size shouldBe 2
        }
    }

    "a slow watcher misses states but the last, and holds up nobody" {
        runTest {
            val registry = registry()
            registry.refresh()
            var answer = 0
            registry.register("mine") { Capability.present("mine", mapOf("is" to "${answer++}")) }
            val told = ArrayList<String?>()
            val go = CompletableDeferred<Unit>()
            backgroundScope.launch {
                registry.watch("mine").collect {
                    told += it.details["is"]
                    go.await()
                }
            }
            repeat(5) {
                registry.refresh()
                advanceTimeBy(1.seconds)
            }
            go.complete(Unit)
            runCurrent()
            told shouldBe listOf("0", "5")
        }
    }

    "names that are taken are refused; closing a registration takes it out, and its watchers hear of it" {
        runTest {
            val registry = registry()
            shouldThrow<IllegalArgumentException> { registry.register("numa") { error("never") } }
            shouldThrow<IllegalArgumentException> { registry.register("cpu.avx2") { error("never") } }
            shouldThrow<IllegalArgumentException> { registry.register(" ") { error("never") } }
            val mine = registry.register("mine") { Capability.present("another name") }
            shouldThrow<IllegalArgumentException> { registry.register("mine") { error("never") } }
            val told = ArrayList<Capability>()
            backgroundScope.launch { registry.watch("mine").collect { told += it } }
            registry.refresh()
            runCurrent()
            told shouldBe listOf(Capability.present("mine"))
            mine.close()
            mine.close()
            registry["mine"].shouldBeNull()
            advanceTimeBy(501.milliseconds)
            told.last() shouldBe Capability.absent("mine", "nobody provides it any more")
            registry.register("mine") { Capability.present("mine") }
            runCurrent()
            mine.close()
            registry.has("mine") shouldBe true
        }
    }

    "a probe that fails, times out or hangs is absent, and the others are not held up" {
        runTest {
            val registry = registry()
            val late = CompletableDeferred<Unit>()
            var calls = 0
            registry.register("fails") { throw IOException("broken pipe") }
            registry.register("lacks") { throw NoClassDefFoundError("x/Y") }
            registry.register("times out") { withTimeout(10.milliseconds) { awaitCancellation() } }
            registry.register("hangs") {
                calls++
                late.await()
                Capability.present("hangs")
            }
            registry.refresh()
            registry["fails"]?.absence shouldBe "its probe failed: broken pipe"
            registry["lacks"]?.absence shouldBe "its probe failed: x/Y"
            registry["times out"]?.absence!! shouldContain "its probe failed: Timed out"
            registry["hangs"]?.absence shouldBe "its probe gave no answer within 5s"
            registry.has("avx2") shouldBe true
            registry.refresh()
            calls shouldBe 1
            late.complete(Unit)
            runCurrent()
            registry.has("hangs") shouldBe true
        }
    }

    "hardware changes have everything looked at again, once for a burst of them" {
        runTest {
            val changes = MutableSharedFlow<Unit>(extraBufferCapacity = 64)
            val registry = registry(changes = changes)
            registry.refresh()
            var looks = 0
            registry.register("counted") { Capability.present("counted", mapOf("look" to "${++looks}")) }
            runCurrent()
            repeat(20) { changes.tryEmit(Unit) }
            advanceTimeBy(400.milliseconds)
            looks shouldBe 1
            advanceTimeBy(5.seconds)
            // The first one starts a wait, and those that come meanwhile are one more.
            looks shouldBe 3
        }
    }

    "the cheap ones are looked at every minute, though hardware changes are no more told" {
        runTest {
            val root = TreeFixture.of("qemu")
            val registry = registry(root, flow { throw IOException("the monitor is gone") })
            var dear = 0
            registry.register("dear") { Capability.present("dear", mapOf("look" to "${++dear}")) }
            registry.refresh()
            setHugePages(root, 7)
            advanceTimeBy(59.seconds)
            registry["hugepages"]!!.details["2048kB"]!! shouldContain "total 512"
            advanceTimeBy(2.seconds)
            registry["hugepages"]!!.details["2048kB"]!! shouldContain "total 7"
            val before = dear
            advanceTimeBy(600.seconds)
            dear shouldBe before
        }
    }

    "a closed registry keeps what it found, and looks no more" {
        runTest {
            val root = TreeFixture.of("qemu")
            val registry = registry(root)
            registry.refresh()
            registry.close()
            registry.close()
            setHugePages(root, 7)
            advanceTimeBy(600.seconds)
            registry["hugepages"]!!.details["2048kB"]!! shouldContain "total 512"
            shouldThrow<IllegalStateException> { registry.refresh() }
        }
    }
})
