package dev.arraywright.raid.layout

import dev.arraywright.raid.layout.RaidLevel.RAID0
import dev.arraywright.raid.layout.RaidLevel.RAID1
import dev.arraywright.raid.layout.RaidLevel.RAID10
import dev.arraywright.raid.layout.RaidLevel.RAID5
import dev.arraywright.raid.layout.RaidLevel.RAID6
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class GeometrySpec : StringSpec({
    val chunk = 4096

    fun geometry(level: RaidLevel, members: Int, rows: Int) =
        Geometry(level, Geometry.defaultLayout(level), members, if (level == RAID1) 0 else chunk, rows.toLong() * chunk)

    /** Every chunk of every member by what it holds: "D<array chunk>", "P<stripe>", "Q<stripe>", "" for nothing. */
    fun content(g: Geometry): List<List<String>> {
        val rows = (g.componentSize() / chunk).toInt()
        val cells = List(g.members()) { MutableList(rows) { "" } }

        fun put(slot: Int, offset: Long, what: String) {
            val row = (offset / chunk).toInt()
            cells[slot][row] shouldBe ""
            cells[slot][row] = what
        }
        for (stripe in 0 until g.stripes()) {
            if (!g.hasParity()) {
                for (copy in 0 until g.copies()) put(g.copySlot(stripe, copy), g.copyOffset(stripe, copy), "D$stripe")
                continue
            }
            for (d in 0 until g.dataChunks()) {
                put(g.dataSlot(stripe, d), g.memberOffset(stripe), "D${stripe * g.dataChunks() + d}")
            }
            put(g.p(stripe), g.memberOffset(stripe), "P$stripe")
            if (g.level() == RAID6) put(g.q(stripe), g.memberOffset(stripe), "Q$stripe")
        }
        return cells
    }

    fun rows(g: Geometry): List<String> = content(g).let { cells ->
        cells[0].indices.map { row -> cells.joinToString(" ") { it[row] } }
    }

    "RAID-5 over three members is left-symmetric as md(4) draws it" {
        rows(geometry(RAID5, 3, 4)) shouldBe listOf("D0 D1 P0", "D3 P1 D2", "P2 D4 D5", "D6 D7 P3")
    }

    "RAID-6 over five members has Q right after P and data from there on" {
        rows(geometry(RAID6, 5, 5)) shouldBe
            listOf("Q0 D0 D1 D2 P0", "D3 D4 D5 P1 Q1", "D7 D8 P2 Q2 D6", "D11 P3 Q3 D9 D10", "P4 Q4 D12 D13 D14")
    }

    "RAID-10 near-2 puts copies side by side, with an odd number of members across rows" {
        rows(geometry(RAID10, 4, 2)) shouldBe listOf("D0 D0 D1 D1", "D2 D2 D3 D3")
        rows(geometry(RAID10, 3, 3)) shouldBe listOf("D0 D0 D1", "D1 D2 D2", "D3 D3 ")
        rows(geometry(RAID10, 5, 2)) shouldBe listOf("D0 D0 D1 D1 D2", "D2 D3 D3 D4 D4")
    }

    "RAID-0 stripes chunk by chunk" {
        rows(geometry(RAID0, 3, 2)) shouldBe listOf("D0 D1 D2", "D3 D4 D5")
    }

    "every array chunk is in its place as often as the level keeps it, and nothing is in two" {
        for (level in listOf(RAID0, RAID5, RAID6, RAID10)) {
            for (members in level.minimumMembers()..9) {
                for (rows in 1..12) {
                    val g = geometry(level, members, rows)
                    val all = content(g).flatten().filter { it.startsWith("D") }.groupingBy { it }.eachCount()
                    all.keys shouldBe (0 until g.arraySize() / chunk).map { "D$it" }.toSet()
                    all.values.all { it == g.copies() } shouldBe true
                }
            }
        }
    }

    "a slot's shard is the inverse of the placement" {
        for (level in listOf(RAID5, RAID6)) {
            for (members in level.minimumMembers()..9) {
                for (stripe in 0L..20L) {
                    val g = geometry(level, members, 21)
                    for (d in 0 until g.dataChunks()) g.shard(stripe, g.dataSlot(stripe, d)) shouldBe d
                    g.shard(stripe, g.p(stripe)) shouldBe g.dataChunks()
                    if (level == RAID6) g.shard(stripe, g.q(stripe)) shouldBe g.dataChunks() + 1
                }
            }
        }
    }

    "a mirror's last stripe may be short" {
        val g = Geometry(RAID1, 0, 3, 0, Geometry.MIRROR_UNIT + 512L)
        g.stripes() shouldBe 2
        g.length(0) shouldBe Geometry.MIRROR_UNIT
        g.length(1) shouldBe 512
        g.copySlot(1, 2) shouldBe 2
        g.copyOffset(1, 2) shouldBe Geometry.MIRROR_UNIT.toLong()
        g.arraySize() shouldBe Geometry.MIRROR_UNIT + 512L
    }

    "RAID-10 survives any losses but those of two neighbours that share a chunk" {
        val four = geometry(RAID10, 4, 4)
        four.survives { it != 0 && it != 2 } shouldBe true
        four.survives { it != 0 && it != 1 } shouldBe false
        four.survives { it != 1 && it != 2 } shouldBe true
        val three = geometry(RAID10, 3, 6)
        for (lost in 0..2) three.survives { it != lost } shouldBe true
        three.survives { it != 2 && it != 0 } shouldBe false
        for (level in RaidLevel.entries.filter { it != RAID10 }) {
            val g = geometry(level, 5, 4)
            g.survives { it >= g.tolerance() } shouldBe true
            g.survives { it > g.tolerance() } shouldBe false
        }
    }

    "what is not supported is refused with the limit" {
        fun refused(make: () -> Unit) = shouldThrow<IllegalArgumentException>(make).message.orEmpty()
        refused { geometry(RAID6, 3, 1) } shouldContain "at least 4 members"
        refused { Geometry(RAID5, 2, 3, 12288, 12288) } shouldContain "power of two"
        refused { Geometry(RAID0, 0, 3, 5000, 5000) } shouldContain "multiple of 4096"
        Geometry(RAID0, 0, 3, 12288, 24576).arraySize() shouldBe 6L * 12288
        refused { Geometry(RAID5, 2, 3, 2048, 4096) } shouldContain "at least 4096"
        refused { Geometry(RAID5, 0, 3, 4096, 4096) } shouldContain "left-symmetric"
        refused { Geometry(RAID10, 0x201, 4, 4096, 4096) } shouldContain "near-2"
        refused { Geometry(RAID5, 2, 3, 4096, 5000) } shouldContain "multiple of 4096"
        refused { RaidLevel.parse("raid7") } shouldContain "raid10"
    }

    "levels are read as mdadm writes them" {
        for (level in RaidLevel.entries) RaidLevel.parse(level.toString()) shouldBe level
        RaidLevel.parse("RAID-6") shouldBe RAID6
        RaidLevel.parse("10") shouldBe RAID10
        RaidLevel.parse("mirror") shouldBe RAID1
        RaidLevel.ofMd(5) shouldBe RAID5
    }
})
