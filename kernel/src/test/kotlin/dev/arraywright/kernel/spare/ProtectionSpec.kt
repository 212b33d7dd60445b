package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.DeviceRemoved
import dev.arraywright.kernel.event.FailoverStarted
import dev.arraywright.kernel.event.PolicyChanged
import dev.arraywright.kernel.event.RebuildComplete
import dev.arraywright.kernel.event.RebuildStarted
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.spare.HotSparePolicy
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.maps.shouldNotContainKey
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random

private const val SPARE = "memory:16MiB#spare"

class ProtectionSpec : StringSpec({
    "a shared spare takes the place of a member that failed, and the events tell it in order" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            val data = Random(1).nextBytes(300_000)
            array.put(data)
            kernel.protection.addSpare(SPARE, domain = "shelf-2")
            val spare = kernel.protection.status.value.spares.single()
            spare.address shouldBe SPARE
            spare.domain shouldBe "shelf-2"
            spare.health shouldBe "ok"
            spare.verdicts.single().eligible shouldBe true
            kernel.devices.value.getValue(SPARE).array shouldBe null

            array.fail("1")
            val told = kernel.until(Topic.REBUILD_COMPLETE, Topic.ARRAY_RECOVERED)
            array.healthy()
            told.map { it.topic }.filter { it != Topic.REBUILD_PROGRESS }.take(7) shouldContainExactly listOf(
                Topic.DEVICE_GROUP_CREATED,
                Topic.SPARE_ADDED,
                Topic.DEVICE_FAILED,
                Topic.ARRAY_DEGRADED,
                Topic.FAILOVER_STARTED,
                Topic.DEVICE_ADDED,
                Topic.REBUILD_STARTED,
            )
            told.groupingBy { it.topic }.eachCount().filterKeys { it != Topic.REBUILD_PROGRESS }.values.max() shouldBe 1
            val failover = told.firstNotNullOf { it.occurrence as? FailoverStarted }
            failover.replacement shouldBe SPARE
            failover.device shouldBe member("vault", 1)
            failover.predicted shouldBe false
            val started = told.firstNotNullOf { it.occurrence as? RebuildStarted }
            started.replacement shouldBe SPARE
            told.firstNotNullOf { it.occurrence as? RebuildComplete }.rebuild shouldBe started.rebuild

            array.get(data.size) shouldBe data
            kernel.protection.shows { it.spares.isEmpty() && it.rebuilds.isEmpty() }
            kernel.devices.value.getValue(SPARE).array shouldBe "vault"
            val now = array.status.value.members
            now.single { it.slot == 1 }.address shouldBe SPARE
            now.single { it.slot == null }.run { address to state } shouldBe (member("vault", 1) to "faulty")
            array.remove(member("vault", 1))
            kernel.devices.value shouldNotContainKey member("vault", 1)
            array.status.value.members.none { it.slot == null } shouldBe true
            kernel.stopArray("vault")
            kernel.devices.value.keys.shouldBeEmpty()
        }
    }

    "what is asked for and cannot be done is refused with the reason, and nothing has changed" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            val protection = kernel.protection
            protection.setPolicy(HotSparePolicy(autoFailover = false))
            protection.addSpare(SPARE)
            array.fail("2")
            kernel.until(Topic.ARRAY_DEGRADED)
            protection.shows { now -> now.spares.single().verdicts.isNotEmpty() }
            val before = Triple(array.status.value, protection.status.value, kernel.devices.value)
            val healthy = member("vault", 0)

            suspend fun refused(why: String, action: suspend () -> Unit) {
                val error = shouldThrow<KernelError> { action() }
                error.why shouldContain why
                error.what shouldNotBe ""
                error.remedy shouldNotBe ""
                Triple(array.status.value, protection.status.value, kernel.devices.value) shouldBe before
            }
            refused("a member of vault needs") { protection.addSpare("memory:4MiB#tiny") }
            refused("a member of vault needs") { protection.addSpare("memory:4MiB#tiny", "vault") }
            refused("it is in use by the array vault") { protection.addSpare(healthy) }
            refused("it is a spare already") { protection.addSpare(SPARE) }
            refused("it is a spare already") { protection.addSpare(SPARE, "vault") }
            refused("running are vault") { protection.addSpare("memory:16MiB#other", "nobody") }
            refused("unknown") { protection.addSpare("memory:16MxB") }
            refused("it is a healthy member of vault") { protection.forceRebuild("vault", healthy) }
            refused("slot 0 has a healthy member, $healthy") { protection.forceRebuild("vault", "0", SPARE) }
            refused("in use by the group vault") { protection.forceRebuild("vault", "2", healthy) }
            refused("no such slot") { protection.forceRebuild("vault", "7") }
            refused("no such device is a spare") { protection.forceRebuild("vault", "2", "memory:16MiB#other") }
            refused("running are vault") { protection.forceRebuild("nobody", "0") }
            refused("vault has no such member") { protection.replace("vault", "memory:16MiB#other") }
            refused("not in sync") { protection.replace("vault", "2") }
            refused("none of that id") { protection.pauseRebuild("vault.9") }
            refused("spares are $SPARE") { protection.removeSpare("memory:16MiB#other") }
            refused("a member of vault") { protection.removeSpare(healthy) }
            refused("1 of 3 members are missing") { protection.startScrub("vault") }
            refused("none is running") { protection.stopScrub("vault") }

            protection.forceRebuild("vault", "2", SPARE)
            array.healthy()
        }
    }

    "a member of an array that does not run here is no spare" {
        val dir = tempdir()
        ArraywrightKernel.start().use { kernel ->
            val members = List(2) { dir.image("m$it") }
            kernel.createArray(ArraySpec("old", RaidLevel.RAID1, members))
            kernel.stopArray("old")
            val error = shouldThrow<KernelError.InUse> { kernel.protection.addSpare(members[0]) }
            error.why shouldContain "old, which does not run here"
            kernel.devices.value.keys.shouldBeEmpty()
            kernel.assembleArray(members).healthy()
        }
    }

    "a device with a file system is no spare" {
        val dir = tempdir()
        val address = dir.image("data")
        java.io.RandomAccessFile(dir.resolve("data"), "rw").use {
            it.seek(0x438)
            it.write(byteArrayOf(0x53, 0xef.toByte()))
        }
        ArraywrightKernel.start().use { kernel ->
            shouldThrow<KernelError.InUse> { kernel.protection.addSpare(address) }.why shouldContain "file system"
            kernel.devices.value.keys.shouldBeEmpty()
        }
    }

    "a spare belongs to one kernel, until it is removed" {
        val spare = tempdir().image("spare")
        ArraywrightKernel.start().use { one ->
            ArraywrightKernel.start().use { other ->
                one.protection.addSpare(spare)
                shouldThrow<KernelError.InUse> { other.protection.addSpare(spare) }
                other.protection.status.value.spares.shouldBeEmpty()
                one.protection.removeSpare(spare)
                one.devices.value.keys.shouldBeEmpty()
                other.protection.addSpare(spare)
                one.until(Topic.SPARE_ADDED, Topic.SPARE_REMOVED).map { it.subject } shouldBe listOf("kernel", "kernel")
            }
        }
    }

    "a dedicated spare is the array's own, with its failure domain" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            kernel.protection.addSpare(SPARE, "vault", "rack-1")
            val spare = kernel.protection.shows { it.spares.singleOrNull()?.domain != null }.spares.single()
            spare.array shouldBe "vault"
            spare.domain shouldBe "rack-1"
            array.status.value.members.single { it.state == "spare" }.address shouldBe SPARE
            kernel.protection.removeSpare(SPARE)
            kernel.protection.status.value.spares.shouldBeEmpty()
            kernel.devices.value shouldNotContainKey SPARE
        }
    }

    "a change of the policy reaches a rebuild that runs" {
        ArraywrightKernel.start().use { kernel ->
            val protection = kernel.protection
            val slow = HotSparePolicy(rebuildFloor = 64 * 1024, rebuildCeiling = 64 * 1024)
            protection.setPolicy(slow)
            val array = kernel.vault()
            protection.addSpare(SPARE)
            array.fail("0")
            kernel.until(Topic.REBUILD_STARTED)
            val rebuild = protection.shows { now -> now.rebuilds.any { it.phase == "running" } }.rebuilds.single()
            rebuild.failed shouldBe member("vault", 0)
            rebuild.replacement shouldBe SPARE
            protection.pauseRebuild(rebuild.id)
            protection.status.value.rebuilds.single().phase shouldBe "paused"
            array.status.value.rebuilds.single().id shouldBe rebuild.id
            protection.resumeRebuild(rebuild.id)
            array.raid.paceLimits.ceiling shouldBe 64 * 1024
            array.status.value.health shouldBe ArrayHealth.DEGRADED

            protection.setPolicy(HotSparePolicy(rebuildPriority = 90))
            array.raid.paceLimits.ceiling shouldBe null
            array.healthy()
            val told = kernel.until(Topic.REBUILD_COMPLETE)
            told.mapNotNull { it.occurrence as? PolicyChanged } shouldContain
                PolicyChanged("kernel", "rebuildPriority", "50", "90")
            told.map { it.topic } shouldContain Topic.REBUILD_RESUMED
        }
    }

    "a rebuild that is called off gives its spare back to the pool, for the next array" {
        ArraywrightKernel.start().use { kernel ->
            val protection = kernel.protection
            protection.setPolicy(HotSparePolicy(rebuildFloor = 64 * 1024, rebuildCeiling = 64 * 1024))
            val one = kernel.vault("one")
            val other = kernel.vault("other")
            protection.addSpare(SPARE)
            one.fail("0")
            kernel.until(Topic.REBUILD_STARTED)
            protection.cancelRebuild(protection.shows { it.rebuilds.isNotEmpty() }.rebuilds.single().id)
            kernel.until(Topic.REBUILD_CANCELLED)
            protection.shows { now -> now.spares.singleOrNull()?.array == null && now.spares.size == 1 }
            kernel.devices.value.getValue(SPARE).array shouldBe null
            kernel.stopArray("one")
            kernel.devices.value.keys shouldContain SPARE

            protection.setPolicy(HotSparePolicy())
            other.fail("0")
            other.healthy()
            kernel.devices.value.getValue(SPARE).array shouldBe "other"
        }
    }

    "a member is swapped for a spare while it serves" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            kernel.protection.addSpare(SPARE)
            kernel.protection.replace("vault", "1")
            val told = kernel.until(Topic.REBUILD_COMPLETE)
            told.firstNotNullOf { it.occurrence as? FailoverStarted }.predicted shouldBe true
            told.none { it.topic == Topic.ARRAY_DEGRADED || it.topic == Topic.DEVICE_FAILED } shouldBe true
            array.status.value.members.single { it.slot == 1 }.address shouldBe SPARE
            array.status.value.members.single { it.slot == null }.state shouldBe "replaced"
        }
    }

    "an array that is degraded says so again when it is assembled" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            array.fail("2")
            kernel.until(Topic.SPARE_EXHAUSTED)
            kernel.stopArray("vault")
            val last = kernel.until(Topic.ARRAY_STOPPED).last().sequence
            kernel.assembleArray(List(2) { member("vault", it) })
            val told = kernel.until(Topic.ARRAY_DEGRADED, Topic.SPARE_EXHAUSTED, from = last + 1)
            told.map { it.topic } shouldContainExactly
                listOf(Topic.ARRAY_ASSEMBLED, Topic.ARRAY_DEGRADED, Topic.SPARE_EXHAUSTED)
        }
    }

    "a member that was away is taken back by the write-intent bitmap" {
        val dir = tempdir()
        ArraywrightKernel.start().use { kernel ->
            val members = List(3) { dir.image("m$it") }
            val spec = ArraySpec(
                "vault",
                RaidLevel.RAID5,
                members,
                chunk = 64 * 1024,
                assumeClean = true,
                bitmapChunk = 1 shl 20,
            )
            val array = kernel.createArray(spec)
            array.status.value.bitmap!!.chunk shouldBe MIB
            // One that answered last is not looked for by itself.
            array.put(ByteArray(1 shl 20) { 1 })
            array.fail("1")
            val data = Random(2).nextBytes(100_000)
            array.put(data)
            array.readd(members[1]) shouldBe true
            array.healthy()
            array.get(data.size) shouldBe data
            array.fail("0")
            array.get(data.size) shouldBe data
        }
    }

    "a member that is removed is told of by its address" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.vault()
            array.fail("1")
            array.remove(member("vault", 1))
            val removed = kernel.until(Topic.DEVICE_REMOVED).last().occurrence as DeviceRemoved
            removed.device shouldBe member("vault", 1)
        }
    }
})
