package dev.arraywright.lab

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/**
 * Arrays go back and forth between this project and the md of a Linux kernel in a guest. The guest runs twice: first md
 * makes arrays, then it reads what was made and mended here.
 */
class KernelMdSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64", "mdadm")
    val lab = Lab()
    afterSpec { lab.close() }
    val left = mutableMapOf<Exhibit, String>()

    "the kernel's md makes arrays of every level" {
        val log = lab.boot("kernel-writes.sh")
        CLEAN.forEach { log shouldContain "ARRAY ${it.slice} level=${it.level}" }
        DIRTY.forEach { log shouldContain "DIRTY ${it.slice} level=${it.level}" }
    }

    CLEAN.forEach { array ->
        "md's $array reads the same here" {
            lab.assembled(lab.takeOut(array)) { it.content().sha256() shouldBe lab.pattern.sha256(it.size.toInt()) }
        }
    }

    CLEAN.filter { it.level != 0 }.forEach { array ->
        "md's $array reads the same here with members away, and refuses once one more is gone" {
            (0 until array.members).forEach { first ->
                val away = (0 until tolerance(array)).map { (first + it * 2) % array.members }.toSet()
                lab.assembled(lab.takeOut(array).filterIndexed { i, _ -> i !in away }) {
                    it.content().sha256() shouldBe lab.pattern.sha256(it.size.toInt())
                }
            }
            val tooFew = lab.takeOut(array).take(if (array.level == 10) 1 else array.members - tolerance(array) - 1)
            if (tooFew.isNotEmpty()) {
                shouldThrow<ArrayException.NotEnoughMembers> { lab.assembled(tooFew) {} }
            }
        }
    }

    DIRTY.filter { it.level in 5..6 }.forEach { array ->
        "a dirty $array of md's does not assemble degraded unless forced" {
            val members = lab.takeOut(array).drop(1)
            shouldThrow<ArrayException.DirtyAndDegraded> { lab.assembled(members) {} }
            lab.assembled(members, force = true) { it.content() }
        }
    }

    DIRTY.forEach { array ->
        "a dirty $array of md's is resynced here: what it reads is what redundancy then says" {
            val members = lab.takeOut(array)
            val whole = lab.assembled(members) {
                it.settled()
                it.content()
            }
            left[array] = whole.sha256()
            lab.putIn(array)
            lab.assembled(members.drop(tolerance(array))) { it.content().sha256() } shouldBe whole.sha256()
        }
    }

    OURS.forEach { array ->
        "$array is made and filled here for md" {
            lab.withDevices(lab.blank(array)) { devices ->
                val spec = CreateSpec("array${array.slice}", RaidLevel.ofMd(array.level), CHUNK, homeHost = "lab")
                lab.arrays.create(spec, devices).stoppedAfter {
                    it.fill(lab.pattern)
                    it.settled()
                    left[array] = lab.pattern.sha256(it.size.toInt())
                }
            }
            lab.putIn(array)
        }
    }

    "the kernel's md reads all of it, whole and degraded, and finds no mismatch" {
        lab.expect(left)
        val log = lab.boot("kernel-reads.sh")
        left.keys.forEach { array ->
            val line = "READ ${array.slice} level=${array.level}"
            log shouldContain if (array.level == 0) "$line mismatches=none" else "$line mismatches=0"
            if (array.level != 0) log shouldContain "$line without=${tolerance(array)}"
        }
    }
})

private const val CHUNK = 64 * 1024

/** The last one has a write-intent bitmap. */
private val CLEAN =
    listOf(
        Exhibit(0, 0, 4),
        Exhibit(1, 1, 2),
        Exhibit(2, 5, 4),
        Exhibit(3, 6, 4),
        Exhibit(4, 10, 4),
        Exhibit(5, 6, 4),
    )
private val DIRTY = listOf(Exhibit(6, 1, 2), Exhibit(7, 5, 4), Exhibit(8, 6, 4), Exhibit(9, 10, 4))
private val OURS =
    listOf(Exhibit(10, 0, 4), Exhibit(11, 1, 2), Exhibit(12, 5, 4), Exhibit(13, 6, 4), Exhibit(14, 10, 4))

private fun tolerance(array: Exhibit): Int = if (array.level == 6) 2 else 1
