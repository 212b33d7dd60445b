package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.ProtectedGroup
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.spare.HotSparePolicy
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import java.io.File

class ProtectedGroupSpec : StringSpec({
    fun spec(dir: File, create: Boolean, count: Int = 3) = ArraySpec(
        "vault",
        RaidLevel.RAID5,
        List(count) { "file:${dir.path}/m$it" },
        listOf("file:${dir.path}/own"),
        chunk = 64 * 1024,
        createFilesOf = if (create) 16 * MIB else null,
    )

    "one call makes an array, protects it and exports it" {
        val dir = tempdir()
        ArraywrightKernel.start().use { kernel ->
            kernel.listen(NbdConfiguration(port = 0))
            val array = kernel.createProtectedDeviceGroup(
                ProtectedGroup(
                    spec(dir, create = true),
                    listOf(dir.image("shared")),
                    HotSparePolicy(rebuildPriority = 80),
                    "v",
                    mapOf("file:${dir.path}/own" to "rack-1", "file:${dir.path}/shared" to "rack-2"),
                ),
            )
            kernel.exports.value.getValue("v").array shouldBe "vault"
            kernel.protection.policy.value.rebuildPriority shouldBe 80
            kernel.protection.status.value.spares.map { it.array to it.domain } shouldContainExactlyInAnyOrder
                listOf("vault" to "rack-1", null to "rack-2")
            array.fail("0")
            array.healthy()
            kernel.until(Topic.REBUILD_COMPLETE).map { it.topic }.first() shouldBe Topic.DEVICE_GROUP_CREATED
        }
    }

    for ((step, change) in listOf<Pair<String, (ProtectedGroup, File) -> ProtectedGroup>>(
        "a member cannot be opened" to { group, dir ->
            group.copy(spec = group.spec.copy(members = group.spec.members + "file:${dir.path}/no/such"))
        },
        "the array cannot be made" to { group, _ -> group.copy(spec = group.spec.copy(chunk = 5000)) },
        "a shared spare cannot be opened" to { group, dir ->
            group.copy(sharedSpares = group.sharedSpares + "file:${dir.path}/no/such")
        },
        "a shared spare is too small" to { group, dir ->
            group.copy(sharedSpares = group.sharedSpares + dir.image("small", 2 * MIB))
        },
        "a shared spare is in use" to { group, _ -> group.copy(sharedSpares = group.sharedSpares + "memory:16MiB#x") },
        "a device is named twice" to {
            group,
            _,
            ->
            group.copy(sharedSpares = group.sharedSpares + group.spec.members[0])
        },
        "the export's name is taken" to { group, _ -> group.copy(export = "taken") },
        "a domain's address is none" to { group, _ -> group.copy(domains = mapOf("nonsense:" to "rack")) },
    )) {
        for (create in listOf(true, false)) {
            "undone, ${if (create) "files and all" else "superblocks and all"}, where $step" {
                val dir = tempdir()
                ArraywrightKernel.start().use { kernel ->
                    kernel.listen(NbdConfiguration(port = 0))
                    val mirror = List(2) { "memory:16MiB#${"xy"[it]}" }
                    kernel.createArray(ArraySpec("other", RaidLevel.RAID1, mirror, assumeClean = true))
                    kernel.export("other", ExportConfiguration("taken"))
                    val good = ProtectedGroup(
                        spec(dir, create),
                        listOf(dir.image("shared")),
                        HotSparePolicy(rebuildPriority = 80),
                    )
                    if (!create)
                        (good.spec.members + good.spec.spares).forEach {
                            dir.image(it.substringAfterLast('/'))
                        }
                    val bad = change(good, dir)
                    val files = dir.list()!!.sorted()
                    val before = kernel.devices.value
                    val arrays = kernel.arrays.value

                    val error = shouldThrow<KernelError> { kernel.createProtectedDeviceGroup(bad) }
                    error.what shouldNotBe ""
                    error.suppressed.toList().shouldBeEmpty()
                    kernel.devices.value shouldBe before
                    kernel.arrays.value shouldBe arrays
                    kernel.exports.value.keys shouldBe setOf("taken")
                    kernel.protection.policy.value shouldBe HotSparePolicy()
                    kernel.protection.status.value.spares.shouldBeEmpty()
                    dir.list()!!.sorted() shouldBe files
                    if (!create) {
                        for (member in good.spec.members) kernel.examine(member).superblock shouldBe null
                    }
                    kernel.createProtectedDeviceGroup(good).status.value.health shouldBe ArrayHealth.OPTIMAL
                }
            }
        }
    }

    "without a listener nothing is exported, and nothing made" {
        val dir = tempdir()
        ArraywrightKernel.start().use { kernel ->
            val error = shouldThrow<KernelError.InvalidRequest> {
                kernel.createProtectedDeviceGroup(ProtectedGroup(spec(dir, create = true), export = "v"))
            }
            error.why shouldContain "does not run"
            dir.list()!!.toList().shouldBeEmpty()
            kernel.arrays.value.shouldBeEmpty()
        }
    }

    "members of another array keep their superblocks" {
        val dir = tempdir()
        ArraywrightKernel.start().use { kernel ->
            val members = List(2) { dir.image("m$it") }
            kernel.createArray(ArraySpec("old", RaidLevel.RAID1, members, assumeClean = true))
            kernel.stopArray("old")
            shouldThrow<KernelError.InUse> {
                kernel.createProtectedDeviceGroup(
                    ProtectedGroup(ArraySpec("new", RaidLevel.RAID1, members, assumeClean = true)),
                )
            }
            kernel.assembleArray(members).name shouldBe "old"
        }
    }
})
