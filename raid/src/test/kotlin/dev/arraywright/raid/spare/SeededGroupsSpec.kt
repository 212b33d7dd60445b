package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.spare.pool.Endangerment
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Whatever happens to members, spares and policy within tolerance: data stays, and redundancy comes back. */
class SeededGroupsSpec : StringSpec({
    val seeds = (System.getProperty("seeds") ?: "1..25").split("..").let { it[0].toLong()..it[1].toLong() }

    "whatever happens, arrays are whole again once there are spares, with every byte, and each rebuild ends once" {
        for (seed in seeds) withClue("seed $seed") { Household.tell(seed) { Disorder(this).run() } }
    }
})

private class Disorder(private val house: Household) {
    private val random: Random get() = house.random
    private val models = LinkedHashMap<RaidArray, ByteArray>()
    private var spares = 0

    suspend fun run() {
        house.manager.policyChanged(policy())
        for ((name, level, count) in listOf(
            Triple("five", RaidLevel.RAID5, 3),
            Triple("six", RaidLevel.RAID6, 4),
            Triple("ten", RaidLevel.RAID10, 4),
        )) {
            val bitmap = if (random.nextBoolean()) 4096 else null
            val array = house.array(name, level, count, random.nextInt(2), bitmap)
            models[array] = ByteArray(array.size.toInt())
        }
        house.manager.start()
        repeat(60) {
            delay(random.nextLong(1, 20_000))
            try {
                disturb()
            } catch (_: ArrayException) {
                // What does not suit the moment is refused.
            }
        }
        settle()
        for ((array, model) in models) {
            val found = ByteArray(model.size)
            array.read(ByteBuffer.wrap(found), 0)
            withClue(array.name) { found.contentEquals(model) shouldBe true }
        }
        everyRebuildEndsOnce()
        nobodyIsInTwoPlaces()
        for (array in models.keys) array.stop()
    }

    private suspend fun disturb() {
        val array = models.keys.random(random)
        val manager = house.manager
        val rebuild = manager.activeRebuilds.value.randomOrNull(random)?.id
        val members = array.state.value.slots.mapNotNull { it.deviceId }
        when (random.nextInt(14)) {
            0, 1 -> lose(array, members.random(random))
            2, 3 -> house.disks.values.filter { it.gone }.randomOrNull(random)?.let {
                it.recover()
                if (random.nextBoolean()) manager.deviceReturned(it.id)
            }
            4 -> if (spares < 12) house.spare("extra${spares++}")
            5 -> manager.policyChanged(policy())
            6 -> rebuild?.let { manager.cancelRebuild(it) }
            7 -> rebuild?.let { if (random.nextBoolean()) manager.pauseRebuild(it) else manager.resumeRebuild(it) }
            8 -> members.random(random).let { if (house.sick.remove(it) == null) house.sick[it] = "a warning" }
            9 -> manager.spares.value.randomOrNull(random)?.let {
                house.disks.getValue(it.id).gone = true
                if (random.nextBoolean()) manager.deviceGone(it.id, "unplugged")
            }
            10 -> manager.forceRebuild(array.name, random.nextInt(members.size))
            11 -> manager.replace(array.name, members.random(random))
            else -> Unit
        }
        write(models.keys.random(random))
    }

    /** Takes a member away if the array can do without, and has the array notice before another one goes. */
    private suspend fun lose(array: RaidArray, id: String) {
        val state = array.state.value
        if (Endangerment.of(state).furtherFailures == 0) return
        house.disks.getValue(id).gone = true
        if (random.nextBoolean()) return house.manager.deviceGone(id, "unplugged")
        write(array, 0, array.geometry.stripeBytes() * 4)
    }

    private suspend fun write(array: RaidArray) {
        val length = random.nextInt(1, 40_000)
        write(array, random.nextInt(models.getValue(array).size - length), length)
    }

    private suspend fun write(array: RaidArray, offset: Int, length: Int) {
        val bytes = random.nextBytes(length)
        array.write(ByteBuffer.wrap(bytes), offset.toLong())
        bytes.copyInto(models.getValue(array), offset)
    }

    private suspend fun settle() {
        for (disk in house.disks.values) disk.recover()
        house.sick.clear()
        house.manager.policyChanged(HotSparePolicy(maxConcurrentRebuilds = 2, retryDelay = 1.seconds))
        repeat(8) { house.spare("last$it") }
        var waited = 0
        while (models.keys.any { it.state.value.missing > 0 } || house.manager.activeRebuilds.value.isNotEmpty()) {
            check(waited++ < 60) {
                models.keys.joinToString("\n") {
                    "${it.name}: ${it.state.value}"
                } + house.events.joinToString("\n", "\n")
            }
            for (rebuild in house.manager.activeRebuilds.value) {
                if (rebuild.phase == RebuildPhase.PAUSED) house.manager.resumeRebuild(rebuild.id)
            }
            delay(1.minutes)
        }
    }

    private fun everyRebuildEndsOnce() {
        val statuses = house.events.filterIsInstance<GroupEvent.Rebuild>().map { it.status }.groupBy { it.id }
        for ((id, all) in statuses) {
            withClue("$id: ${all.map { it.phase }}") {
                all.count { it.phase.terminal } shouldBe 1
                all.last().phase.terminal shouldBe true
            }
        }
        val busy = HashSet<Pair<String, Int>>()
        for (event in house.events) {
            when (event) {
                is GroupEvent.FailoverStarted -> withClue(event) { busy.add(event.group to event.slot) shouldBe true }
                is GroupEvent.Rebuild -> if (event.status.phase.terminal) busy -= event.group to event.status.slot
                else -> Unit
            }
        }
    }

    private fun nobodyIsInTwoPlaces() {
        val shared = house.manager.spares.value.filter { it.dedicatedTo == null }.map { it.id }
        val used = models.keys.flatMap { array -> array.devices().map { it.info().id() } }
        (shared + used).groupBy { it }.filterValues { it.size > 1 }.keys shouldBe emptySet()
    }

    private fun policy() = HotSparePolicy(
        healthCheckInterval = random.nextInt(1, 40).seconds,
        autoFailover = random.nextInt(4) > 0,
        maxConcurrentRebuilds = random.nextInt(1, 4),
        rebuildFloor = 1024L * random.nextInt(8, 64),
        rebuildCeiling = 1024L * random.nextInt(64, 1024),
        spareCheckInterval = random.nextInt(1, 20).minutes,
        scrubInterval = if (random.nextBoolean()) random.nextInt(1, 20).minutes else null,
        retryDelay = random.nextInt(1, 60).seconds,
    )
}
