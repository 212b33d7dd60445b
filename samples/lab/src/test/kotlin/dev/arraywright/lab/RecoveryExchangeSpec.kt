package dev.arraywright.lab

import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.array.SlotState
import dev.arraywright.raid.pace.PaceLimits
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes

/**
 * Rebuilds and replacements are interrupted here or under the kernel's md, and the other one goes on where the
 * superblock says; members that were away under one come back under the other, by the write-intent bitmap.
 */
class RecoveryExchangeSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64", "mdadm")
    val lab = Lab()
    afterSpec { lab.close() }
    val left = mutableListOf<String>()
    val toWrite = mutableMapOf<Exhibit, LongRange>()

    "the power goes while the kernel's md rebuilds, replaces, and has members away" {
        val log = lab.boot("recovery-cut.sh")
        REBUILDS.forEach { log shouldContain "CUT rebuild ${it.slice} level=${it.level}" }
        REPLACEMENTS.forEach { log shouldContain "CUT replace ${it.slice} level=${it.level}" }
        AWAY.forEach { log shouldContain "CUT away ${it.slice} level=${it.level}" }
    }

    REBUILDS.forEach { array -> "md's rebuild of $array goes on here" { lab.goesOn(lab.takeOut(array)) } }

    REPLACEMENTS.forEach { array -> "md's replacement in $array goes on here" { lab.goesOn(lab.takeOut(array)) } }

    AWAY.forEach { array ->
        "a member that was away from md's $array comes back here by md's bitmap" {
            val members = lab.takeOut(array)
            lab.watching(members) { devices ->
                val back = devices[1]
                lab.arrays.assemble(devices - back).stoppedAfter {
                    it.readd(back).shouldBeTrue()
                    it.settled()
                    back.bytesWritten shouldBeInRange MISSED
                    it.mismatches() shouldBe 0
                }
            }
            lab.assembled(members.drop(1)) { it.content().sha256() shouldBe patched(lab.pattern, it.size).sha256() }
        }
    }

    REBUILDS.forEach { array ->
        "the power goes during a rebuild of $array here" {
            val members = lab.make(array, bitmap = false)
            lab.cut(members) { running, devices ->
                running.paceLimits = SLOW
                running.fail(devices[0].info().id())
                running.halfDone()
            }
            toWrite[array] = lab.rest(members)
            left += lab.line("rebuild", array, members)
            lab.putIn(array)
        }
    }

    REPLACEMENTS.forEach { array ->
        "the power goes during a replacement in $array here" {
            val members = lab.make(array, bitmap = false)
            lab.cut(members) { running, devices ->
                running.paceLimits = SLOW
                running.replace(devices[0].info().id(), devices.last().info().id())
                running.halfDone()
            }
            toWrite[array] = lab.rest(members)
            left += lab.line("replace", array, members)
            lab.putIn(array)
        }
    }

    AWAY.forEach { array ->
        "a member is away from $array here" {
            val members = lab.make(array, bitmap = true)
            lab.withDevices(members) { devices ->
                lab.arrays.assemble(devices).stoppedAfter {
                    val id = devices[1].info().id()
                    it.fail(id)
                    it.remove(id)
                    it.patch(lab.pattern)
                }
            }
            toWrite[array] = MISSED.first..MISSED.last + METADATA
            left += lab.line("away", array, members, patched = true)
            lab.putIn(array)
        }
    }

    "the kernel's md goes on with all of them, and writes no more than what is missing" {
        lab.expect(left)
        val log = lab.boot("recovery-resume.sh")
        for ((array, bytes) in toWrite) {
            val line = Regex("RESUMED \\w+ ${array.slice} level=${array.level} written=(\\d+) mismatches=0")
            val found = checkNotNull(line.find(log)) { "no $line in:\n$log" }
            found.groupValues[1].toLong() shouldBeInRange bytes
        }
    }
})

private val REBUILDS = listOf(Exhibit(0, 1, 2, 1), Exhibit(1, 5, 3, 1), Exhibit(2, 6, 4, 1), Exhibit(4, 10, 4, 1))
private val REPLACEMENTS = listOf(Exhibit(6, 1, 2, 1), Exhibit(7, 5, 3, 1), Exhibit(8, 6, 4, 1), Exhibit(10, 10, 4, 1))
private val AWAY = listOf(Exhibit(12, 1, 2), Exhibit(13, 5, 4), Exhibit(14, 6, 4), Exhibit(15, 10, 4))

/** Where the guest has md interrupted, and about where it is here. */
private const val HALF = 8L shl 20

/** What a member lacks that was away during [patch]; it may have had no part in it. */
private val MISSED = 0..PATCHED_CHUNKS.toLong() * BITMAP_CHUNK

/** What md may write of superblocks and bitmaps meanwhile. */
private const val METADATA = 256L shl 10

private val SLOW = PaceLimits(floor = 4L shl 20, ceiling = 4L shl 20)

/** Slot 0 is filled on the last of the members, from where that says, and then it serves. */
private suspend fun Lab.goesOn(members: List<Path>) {
    watching(members) { devices ->
        val last = devices.last()
        arrays.examine(last).recoveryOffset() shouldBe HALF
        arrays.assemble(devices).stoppedAfter {
            it.filled(last.info().id())
            last.firstWritten!! shouldBeGreaterThanOrEqual HALF
            last.bytesWritten shouldBe it.geometry.componentSize() - HALF
            it.mismatches() shouldBe 0
        }
    }
    // Without the one that shares its bytes, or an equal of it, the newcomer has to serve.
    assembled(members.drop(2)) { it.content().sha256() shouldBe pattern.sha256(it.size.toInt()) }
}

private suspend fun RaidArray.filled(id: String) {
    val whole = SlotState(0, id, MemberState.InSync)
    withTimeout(2.minutes) { state.first { it.slots[0] == whole } }
}

private suspend fun RaidArray.halfDone() {
    withTimeout(2.minutes) {
        state.first { now ->
            val slot = now.slots[0]
            val progress = slot.replacement?.progress ?: (slot.member as? MemberState.Rebuilding)?.progress
            progress != null && progress.done >= HALF
        }
    }
}

/** What is still to be written to the last of the members, by its superblock's word. */
private suspend fun Lab.rest(members: List<Path>): LongRange = withDevices(members) { devices ->
    val superblock = arrays.examine(devices.last())
    superblock.recoveryOffset() shouldBeInRange HALF / 2..HALF * 3 / 2
    val rest = superblock.size() - superblock.recoveryOffset()
    rest..rest + METADATA
}

private suspend fun Lab.line(kind: String, array: Exhibit, members: List<Path>, patched: Boolean = false): String {
    val size = withDevices(members) { arrays.plan(it).state.geometry.arraySize() }
    val content = if (patched) patched(pattern, size) else pattern.copyOf(size.toInt())
    return "$kind ${array.slice} ${array.level} ${array.devices} ${content.sha256()}"
}
