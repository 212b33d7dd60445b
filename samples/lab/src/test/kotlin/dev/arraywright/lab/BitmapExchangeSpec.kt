package dev.arraywright.lab

import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/**
 * Arrays with a write-intent bitmap lose power here or under the kernel's md, and the other one goes on with them: it
 * reads the bitmap as it was meant, and nothing but what that says is dirty.
 */
class BitmapExchangeSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64", "mdadm")
    val lab = Lab()
    afterSpec { lab.close() }
    val left = mutableListOf<String>()

    "the power goes while the kernel's md writes to arrays with a bitmap" {
        val log = lab.boot("bitmap-cut.sh")
        THEIRS.forEach { log shouldContain "CUT ${it.slice} level=${it.level} dirty=$PATCHED_CHUNKS state=active" }
    }

    THEIRS.forEach { array ->
        "md's $array is resynced here from md's bitmap, by reading the dirty chunks only" {
            val members = lab.takeOut(array)
            lab.tear(members)
            lab.watching(members) { devices ->
                lab.arrays.assemble(devices).stoppedAfter {
                    it.bitmap!!.dirty shouldBe PATCHED_CHUNKS
                    it.settled()
                    devices.sumOf(Watched::bytesRead) shouldBeInRange dirtyBytes(array)
                    it.content().sha256() shouldBe patched(lab.pattern, it.size).sha256()
                    it.mismatches() shouldBe 0
                    it.tidied()
                    left += line(array, 0, patched(lab.pattern, it.size))
                }
            }
            lab.putIn(array)
        }
    }

    OURS.forEach { array ->
        "the power goes while $array is written to here" {
            val members = lab.make(array, bitmap = true)
            lab.cutWhilePatched(members)
            lab.tear(members)
            lab.putIn(array)
            val size = lab.withDevices(members) { lab.arrays.plan(it).state.geometry.arraySize() }
            left += line(array, PATCHED_CHUNKS, patched(lab.pattern, size))
        }
    }

    "the kernel's md resyncs ours by reading the dirty chunks only, and has nothing to do for its own" {
        lab.expect(left)
        val log = lab.boot("bitmap-resync.sh")
        THEIRS.forEach { read(log, it, 0) shouldBe 0 }
        OURS.forEach { read(log, it, PATCHED_CHUNKS) shouldBeInRange dirtyBytes(it) }
    }
})

private val THEIRS = listOf(Exhibit(0, 1, 2), Exhibit(1, 5, 4), Exhibit(2, 6, 4), Exhibit(3, 10, 4))
private val OURS = listOf(Exhibit(4, 1, 2), Exhibit(5, 5, 4), Exhibit(6, 6, 4), Exhibit(7, 10, 4))

/** At least one member is read of each dirty chunk; at most all are. */
private fun dirtyBytes(array: Exhibit): LongRange =
    PATCHED_CHUNKS.toLong() * BITMAP_CHUNK..PATCHED_CHUNKS.toLong() * BITMAP_CHUNK * array.members

private fun line(array: Exhibit, dirty: Int, content: ByteArray) =
    "${array.slice} ${array.level} ${array.members} $dirty ${content.sha256()}"

/** Bytes that md says were read for its resync, if it found no mismatch then. */
private fun read(log: String, array: Exhibit, dirty: Int): Long {
    val line = Regex("RESYNC ${array.slice} level=${array.level} dirty=$dirty read=(\\d+) mismatches=0")
    return checkNotNull(line.find(log)) { "no $line in:\n$log" }.groupValues[1].toLong()
}
