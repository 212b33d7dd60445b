package dev.arraywright.kernel.config

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.MIB
import dev.arraywright.kernel.spare.healthy
import dev.arraywright.kernel.spare.image
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class LiveConfigurationSpec : StringSpec({
    fun configuration(members: List<String>, spares: List<String>, priority: Int = 50) = Configuration(
        listOf(ArrayConfiguration("vault", members, ExportConfiguration("v"))),
        NbdConfiguration(port = 0),
        policy = PolicyConfiguration(rebuildPriority = priority),
        spares = spares.map { SpareConfiguration(it) },
    )

    "policy and shared spares change without a restart, and what runs goes on" {
        val dir = tempdir()
        val members = List(2) { dir.image("m$it") }
        val (one, two) = List(2) { dir.image("s$it") }
        ArraywrightKernel.start().use { kernel ->
            kernel.createArray(ArraySpec("vault", RaidLevel.RAID1, members, assumeClean = true))
            kernel.stopArray("vault")
            kernel.apply(configuration(members, listOf(one))).shouldBeEmpty()
            val array = kernel.arrays.value.getValue("vault")
            kernel.protection.status.value.spares.map { it.address } shouldBe listOf(one)

            kernel.apply(configuration(members, listOf(two), priority = 7)).shouldBeEmpty()
            kernel.arrays.value.getValue("vault") shouldBe array
            kernel.protection.policy.value.rebuildPriority shouldBe 7
            array.raid.paceLimits.priority shouldBe 7
            kernel.protection.status.value.spares.map { it.address } shouldBe listOf(two)
            (one in kernel.devices.value) shouldBe false
        }
    }

    "a configured spare that became a member is one, live and after a restart" {
        val dir = tempdir()
        val members = List(2) { dir.image("m$it") }
        val spare = dir.image("spare")
        val configuration = configuration(members, listOf(spare))
        ArraywrightKernel.start().use { kernel ->
            kernel.createArray(ArraySpec("vault", RaidLevel.RAID1, members, assumeClean = true))
            kernel.apply(configuration).shouldBeEmpty()
            val array = kernel.arrays.value.getValue("vault")
            array.fail("0")
            kernel.until(Topic.REBUILD_COMPLETE)
            array.healthy()
            kernel.apply(configuration).shouldBeEmpty()
            array.status.value.members.single { it.slot == 0 }.address shouldBe spare
            array.remove(members[0])
        }
        ArraywrightKernel.start().use { kernel ->
            kernel.apply(configuration).shouldBeEmpty()
            val status = kernel.arrays.value.getValue("vault").status.value
            status.health shouldBe ArrayHealth.OPTIMAL
            status.members.map { it.address } shouldBe listOf(spare, members[1])
            kernel.protection.status.value.spares.shouldBeEmpty()
        }
    }

    "an array with a level is made where its members are blank, and assembled from then on" {
        val dir = tempdir()
        val members = List(3) { dir.image("m$it") }
        val array = ArrayConfiguration(
            "vault",
            members,
            level = "raid5",
            chunk = 64 * 1024,
            bitmap = "auto",
            spares = listOf(dir.image("own")),
        )
        val configuration = Configuration(listOf(array))
        val made = ArraywrightKernel.start().use { kernel ->
            kernel.apply(configuration).shouldBeEmpty()
            val status = kernel.arrays.value.getValue("vault").status.value
            status.chunk shouldBe 64 * 1024
            (status.bitmap != null) shouldBe true
            status.members.single { it.slot == null }.state shouldBe "spare"
            status.uuid
        }
        ArraywrightKernel.start().use { kernel ->
            kernel.apply(configuration).shouldBeEmpty()
            kernel.arrays.value.getValue("vault").status.value.uuid shouldBe made
        }
    }

    "nothing is made where a member is not there" {
        val dir = tempdir()
        val members = listOf(dir.image("m0", 16 * MIB), "file:${dir.path}/gone")
        ArraywrightKernel.start().use { kernel ->
            val failures = kernel.apply(Configuration(listOf(ArrayConfiguration("vault", members, level = "raid1"))))
            failures.first().what shouldBe "cannot open ${members[1]}"
            failures.last().what shouldBe "cannot assemble an array"
            kernel.examine(members[0]).superblock shouldBe null
            kernel.devices.value.keys.shouldBeEmpty()
        }
    }
})
