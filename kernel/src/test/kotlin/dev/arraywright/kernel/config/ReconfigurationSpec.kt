package dev.arraywright.kernel.config

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.spare.image
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.File

class ReconfigurationSpec : StringSpec({
    fun mirror(dir: File, name: String, export: String? = null) = ArrayConfiguration(
        name,
        List(2) { dir.image("$name$it") },
        export?.let { ExportConfiguration(it) },
        level = "raid1",
    )

    fun configuration(vararg arrays: ArrayConfiguration) = Configuration(arrays.asList(), NbdConfiguration(port = 0))

    /** A kernel that has [first] already; what comes of [next] is for [check]. */
    suspend fun replaced(
        first: Configuration,
        next: Configuration,
        between: suspend ArraywrightKernel.() -> Unit = {},
        check: suspend ArraywrightKernel.(Reconfiguration) -> Unit,
    ) = ArraywrightKernel.start().use { kernel ->
        kernel.apply(first).shouldBeEmpty()
        kernel.between()
        kernel.check(kernel.reconfigure(first, next))
    }

    "an array that is new runs and is exported; one that is not named any more runs on, and that is said" {
        val dir = tempdir()
        val (a, b) = listOf(mirror(dir, "a", "a"), mirror(dir, "b", "b"))
        replaced(configuration(a), configuration(b)) {
            it.failures.shouldBeEmpty()
            it.notes.single() shouldContain "a is not configured any more, and runs on"
            arrays.value.keys shouldBe setOf("a", "b")
            exports.value.keys shouldBe setOf("a", "b")
        }
    }

    "what an operator has stopped, or does not export, stays so through an edit of something else" {
        val dir = tempdir()
        val (a, b) = listOf(mirror(dir, "a"), mirror(dir, "b", "b"))
        val first = configuration(a, b)
        val stop: suspend ArraywrightKernel.() -> Unit = {
            stopArray("a")
            unexport("b")
        }
        replaced(first, first.copy(policy = PolicyConfiguration(rebuildPriority = 7)), stop) {
            it shouldBe Reconfiguration()
            arrays.value.keys shouldBe setOf("b")
            exports.value.keys.shouldBeEmpty()
            protection.policy.value.rebuildPriority shouldBe 7
        }
    }

    "an array that could not run is tried again once what is configured of it is otherwise" {
        val dir = tempdir()
        val good = mirror(dir, "a", "a")
        val bad = good.copy(members = good.members.map { "$it-gone" })
        ArraywrightKernel.start().use { kernel ->
            kernel.apply(configuration(bad)).isEmpty() shouldBe false
            kernel.reconfigure(configuration(bad), configuration(good)).failures.shouldBeEmpty()
            kernel.exports.value.getValue("a").array shouldBe "a"
        }
    }

    "exports come, go, change and swap their names" {
        val dir = tempdir()
        val (a, b, c, d) = listOf(
            mirror(dir, "a", "one"),
            mirror(dir, "b", "two"),
            mirror(dir, "c", "three"),
            mirror(dir, "d"),
        )
        val next = configuration(
            a.copy(export = ExportConfiguration("two")),
            b.copy(export = ExportConfiguration("one", readOnly = true)),
            c.copy(export = null),
            d.copy(export = ExportConfiguration("four")),
        )
        replaced(configuration(a, b, c, d), next) {
            it shouldBe Reconfiguration()
            exports.value.mapValues { (_, e) -> e.array to e.readOnly } shouldBe
                mapOf("two" to ("a" to false), "one" to ("b" to true), "four" to ("d" to false))
        }
    }

    "an array's own spares come and go, a member that leaves the list is one still" {
        val dir = tempdir()
        val a = mirror(dir, "a").copy(spares = listOf(dir.image("s0")))
        val s1 = dir.image("s1")
        val next = a.copy(members = a.members.take(1), spares = listOf(s1), domains = mapOf(s1 to "rack 2"))
        replaced(configuration(a), configuration(next)) {
            it.failures.shouldBeEmpty()
            it.notes.single() shouldContain "${a.members[1]} is a member of a still"
            val status = arrays.value.getValue("a").status.value
            status.health shouldBe ArrayHealth.OPTIMAL
            status.members.filter { m -> m.state == "spare" }.map { m -> m.address } shouldBe listOf(s1)
            protection.status.value.spares.single { s -> s.address == s1 }.domain shouldBe "rack 2"
        }
    }

    "an own spare moves to the shared ones; for another array, named before, its superblock is in the way" {
        val dir = tempdir()
        val (s0, s1) = List(2) { dir.image("s$it") }
        val (a, b) = listOf(mirror(dir, "a"), mirror(dir, "b").copy(spares = listOf(s0, s1)))
        val next = configuration(a.copy(spares = listOf(s0)), b.copy(spares = emptyList()))
            .copy(spares = listOf(SpareConfiguration(s1)))
        replaced(configuration(a, b), next) {
            it.failures.single().why shouldContain "it holds a member of the array b"
            it.notes.shouldBeEmpty()
            protection.status.value.spares.associate { s -> s.address to s.array } shouldBe mapOf(s1 to null)
        }
    }

    "a device whose address is written otherwise is the same" {
        val dir = tempdir()

        fun otherwise(address: String) = address.removePrefix("file:")
        val shared = SpareConfiguration(dir.image("s1"))
        val a = mirror(dir, "a").copy(spares = listOf(dir.image("s0")))
        val next = configuration(a.copy(members = a.members.map(::otherwise), spares = a.spares.map(::otherwise)))
            .copy(spares = listOf(SpareConfiguration(otherwise(shared.address))))
        var spares = emptyList<Any>()
        replaced(
            configuration(a).copy(spares = listOf(shared)),
            next,
            { spares = protection.status.value.spares },
        ) {
            it shouldBe Reconfiguration()
            protection.status.value.spares shouldBe spares
        }
    }

    "domains of who is there already are named as what counts later" {
        val dir = tempdir()
        val a = mirror(dir, "a")
        val spare = SpareConfiguration(dir.image("s0"))
        val next = configuration(a.copy(domains = mapOf(a.members[0] to "rack 1")))
            .copy(spares = listOf(spare.copy(domain = "rack 2")))
        replaced(configuration(a).copy(spares = listOf(spare)), next) {
            it.failures.shouldBeEmpty()
            it.notes shouldBe listOf(
                "a: domains: what is new counts when it is made or assembled again",
                "spares: the domain of ${spare.address} counts once it is removed and added again",
            )
        }
    }

    "shared spares come and go" {
        val dir = tempdir()
        val (one, two) = List(2) { SpareConfiguration(dir.image("s$it")) }
        val first = configuration(mirror(dir, "a")).copy(spares = listOf(one))
        replaced(first, first.copy(spares = listOf(two))) {
            it shouldBe Reconfiguration()
            protection.status.value.spares.map { s -> s.address } shouldBe listOf(two.address)
            (one.address in devices.value) shouldBe false
        }
    }

    "what counts from the next start on is named" {
        val dir = tempdir()
        val first = configuration(mirror(dir, "a", "a"))
        val next = first.copy(
            arrays = first.arrays.map { it.copy(level = "raid5") },
            nbd = NbdConfiguration(port = 1),
            http = HttpConfiguration(port = 1),
            memory = MemoryConfiguration(readCache = 0),
            watch = false,
            driverDirectory = "/d",
        )
        replaced(first, next) {
            it.failures.shouldBeEmpty()
            it.notes shouldBe listOf(
                "nbd, http, memory, watch, driverDirectory: what is new counts from the next start on",
                "a: level: what is new counts when it is made or assembled again",
            )
        }
    }

    "with an address that is none nothing is changed" {
        val dir = tempdir()
        val first = configuration(mirror(dir, "a"))
        ArraywrightKernel.start().use { kernel ->
            kernel.apply(first).shouldBeEmpty()
            val next = configuration(mirror(dir, "b"), ArrayConfiguration("c", listOf("no address")))
                .copy(policy = PolicyConfiguration(rebuildPriority = 7))
            shouldThrow<KernelError.BadConfiguration> { kernel.reconfigure(first, next) }.why shouldContain "no address"
            kernel.arrays.value.keys shouldBe setOf("a")
            kernel.protection.policy.value.rebuildPriority shouldBe 50
        }
    }

    "what fails does not keep the rest from counting" {
        val dir = tempdir()
        val first = configuration(mirror(dir, "a"))
        val next =
            configuration(mirror(dir, "b").copy(members = listOf("file:${dir.path}/gone")), mirror(dir, "c", "c"))
        replaced(first, next) {
            it.failures.single().what shouldContain "cannot open"
            arrays.value.keys shouldBe setOf("a", "c")
            exports.value.keys shouldBe setOf("c")
        }
    }
})
