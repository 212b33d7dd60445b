package dev.arraywright.kernel.machine

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.DeviceFailed
import dev.arraywright.kernel.event.HardwareRemoved
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.healthy
import dev.arraywright.kernel.spare.shows
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainInOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first
import java.nio.file.Path
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.time.Duration.Companion.seconds

/** Arrays follow what is plugged in and out, without any I/O of a client that would find out. */
class PlugsSpec : StringSpec({
    val home = tempdir()

    fun disks(count: Int) = List(count) { LoopDisk(home.resolve("disk-${System.nanoTime()}")) }

    suspend fun Seeing.vault(disks: List<LoopDisk>) = kernel.createArray(
        ArraySpec("vault", RaidLevel.RAID5, disks.map { it.address }, chunk = 64 * 1024, assumeClean = true),
    )

    /** A vault of the first three of [count] disks, on a machine that has those three. */
    suspend fun scene(count: Int, play: suspend Seeing.(FakeSight, List<LoopDisk>, ArrayHandle) -> Unit) {
        val disks = disks(count)
        try {
            val machine = FakeSight()
            disks.take(3).forEach { machine.plug(it.path) }
            machine.kernel().use { seeing -> seeing.play(machine, disks, seeing.vault(disks.take(3))) }
        } finally {
            disks.forEach { it.close() }
        }
    }

    "a member that is unplugged fails at once, and the events tell it in order" {
        scene(3) { machine, disks, _ ->
            disks[1].dead()
            machine.unplug(disks[1].path)
            val told = kernel.until(Topic.ARRAY_DEGRADED)
            told.map { it.topic }.shouldContainInOrder(
                Topic.HARDWARE_REMOVED,
                Topic.DEVICE_FAILED,
                Topic.ARRAY_DEGRADED,
            )
            told.firstNotNullOf { it.occurrence as? HardwareRemoved }.device shouldBe disks[1].path
            told.firstNotNullOf { it.occurrence as? DeviceFailed }.cause!! shouldContain "unplugged"
        }
    }

    "a rumour that a member is gone does not fail one that answers" {
        scene(3) { machine, disks, array ->
            machine.unplug(disks[1].path)
            kernel.until(Topic.HARDWARE_REMOVED)
            machine.plug(disks[1].path)
            kernel.until(Topic.HARDWARE_ADDED)
            disks[2].dead()
            machine.unplug(disks[2].path)
            array.status.first { it.health == ArrayHealth.DEGRADED }
            array.status.value.members.filter { it.state == "in-sync" }.map { it.slot } shouldBe listOf(0, 1)
        }
    }

    "an awaited spare is taken when it is plugged in, and a member that comes back finds its place taken" {
        scene(4) { machine, disks, array ->
            val link = home.resolve("link").toPath()
            kernel.protection.awaitSpare("block:$link") shouldBe false
            kernel.protection.status.value.awaited shouldBe listOf("block:$link")
            link.createSymbolicLinkPointingTo(Path.of(disks[3].path))
            machine.plug(disks[3].path)
            kernel.protection.shows { it.spares.isNotEmpty() }.awaited.shouldBeEmpty()
            // It is shown while it is checked, and told of once it passed.
            kernel.until(Topic.SPARE_ADDED)

            disks[0].dead()
            machine.unplug(disks[0].path)
            kernel.until(Topic.REBUILD_COMPLETE).map { it.topic }.shouldContainInOrder(
                Topic.SPARE_AWAITED,
                Topic.HARDWARE_ADDED,
                Topic.SPARE_ADDED,
                Topic.HARDWARE_REMOVED,
                Topic.DEVICE_FAILED,
                Topic.FAILOVER_STARTED,
                Topic.REBUILD_COMPLETE,
            )
            array.healthy()
            disks[0].whole()
            machine.plug(disks[0].path)
            kernel.until(Topic.DEVICE_RETURNED).last().message shouldContain "has its place"
        }
    }

    "a spare that is awaited by a name which is made after it was told of is taken as well" {
        scene(4) { machine, disks, _ ->
            val link = home.resolve("late").toPath()
            kernel.protection.awaitSpare("block:$link") shouldBe false
            machine.plug(disks[3].path)
            kernel.until(Topic.HARDWARE_ADDED)
            link.createSymbolicLinkPointingTo(Path.of(disks[3].path))
            kernel.protection.shows { it.spares.isNotEmpty() }.spares.single().address shouldBe "block:$link"
        }
    }

    "a shared spare that is unplugged is none, and one again when it comes back; until it is removed" {
        scene(4) { machine, disks, _ ->
            machine.plug(disks[3].path)
            kernel.protection.awaitSpare(disks[3].address) shouldBe true
            disks[3].dead()
            machine.unplug(disks[3].path)
            kernel.until(Topic.SPARE_FAILED)
            kernel.protection.shows { it.awaited == listOf(disks[3].address) }.spares.shouldBeEmpty()
            disks[3].whole()
            machine.plug(disks[3].path)
            kernel.protection.shows { it.spares.size == 1 }
            kernel.protection.removeSpare(disks[3].address)
            kernel.protection.status.value.let { it.spares.isEmpty() && it.awaited.isEmpty() } shouldBe true
        }
    }

    "a spare that cannot be plugged in is not awaited" {
        scene(3) { _, _, _ ->
            shouldThrow<KernelError.NotFound> { kernel.protection.awaitSpare("file:${home.path}/absent") }
            kernel.protection.status.value.awaited.shouldBeEmpty()
        }
    }

    "what a disk shows of its health is a warning of its member" {
        scene(3) { machine, disks, _ ->
            machine.warnings[machine.at(disks[2].path).id] = "worn out"
            kernel.protection.setPolicy(kernel.protection.policy.value.copy(healthCheckInterval = 1.seconds))
            kernel.until(Topic.DEVICE_HEALTH_WARNING).last().message shouldContain "worn out"
        }
    }
})
