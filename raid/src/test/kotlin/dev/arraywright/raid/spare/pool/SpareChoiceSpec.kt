package dev.arraywright.raid.spare.pool

import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.DeviceType.HDD
import dev.arraywright.spi.device.DeviceType.NVME
import dev.arraywright.spi.device.DeviceType.SSD
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random

class SpareChoiceSpec : StringSpec({
    fun spare(
        id: String,
        size: Long = 100,
        type: DeviceType = HDD,
        domain: String? = null,
        dedicated: Boolean = false,
        block: Int = 512,
        obstacle: String? = null,
    ) = Candidate(id, size, block, type, domain, dedicated, obstacle)

    val need = Need(bytes = 100, block = 512, types = setOf(HDD), domains = setOf("east"))

    fun want(group: String, further: Int, slot: Int = 0, empty: Boolean = true, bytes: Long = 100) =
        Want(group, slot, need.copy(bytes = bytes), Endangerment(further, 1), empty, null, "gone")

    "of two spares the better one is taken, whichever comes first" {
        val better = mapOf(
            "large enough before dedicated" to (spare("a") to spare("b", size = 99, dedicated = true)),
            "blocks that fit" to (spare("a", domain = "east") to spare("b", block = 4096)),
            "one that can be had" to (spare("a", type = SSD) to spare("b", obstacle = "it is being checked")),
            "dedicated before media type" to (spare("a", type = SSD, dedicated = true) to spare("b")),
            "media type before domain" to (spare("a", domain = "east") to spare("b", type = SSD, domain = "west")),
            "domain before size" to (spare("a", 500, domain = "west") to spare("b", domain = "east")),
            "an unknown domain before a member's" to (spare("a", 500) to spare("b", domain = "east")),
            "the smallest that fits" to (spare("a", 101) to spare("b", 102)),
            "else by id" to (spare("a") to spare("b")),
        )
        for ((what, pair) in better) {
            withClue(what) {
                val (best, other) = pair
                SpareChoice.choose(need, listOf(best, other)).spare shouldBe best
                SpareChoice.choose(need, listOf(other, best)).spare shouldBe best
            }
        }
    }

    "each verdict says why" {
        val choice = SpareChoice.choose(
            need,
            listOf(spare("small", 99), spare("coarse", block = 4096), spare("east", type = NVME, domain = "east")),
        )
        choice.spare?.id shouldBe "east"
        choice.verdicts.getValue("small").run { eligible to why } shouldBe
            (false to "it has 99 bytes, and a member needs 100")
        choice.verdicts.getValue("coarse").why shouldContain "4096"
        choice.verdicts.getValue("east").why shouldBe
            "of the shared pool, large enough, of another type than the members: NVME, " +
            "in one failure domain with a member: east"
        SpareChoice.choose(need, emptyList()).spare shouldBe null
    }

    "one that is being checked is for later, unless it would not do anyway" {
        val checking = spare("a", obstacle = "it is being checked").copy(passing = true)
        SpareChoice.choose(need, listOf(checking)).run { spare to later } shouldBe (null to true)
        SpareChoice.choose(need, listOf(checking.copy(size = 1))).run { spare to later } shouldBe (null to false)
    }

    "the more endangered group gets the only spare, and empty slots come before warnings" {
        val only = listOf(spare("only"))
        val calm = want("calm", 1)
        val urgent = want("urgent", 0)
        val plan = SpareChoice.assign(listOf(calm, urgent), only) { emptyList() }
        plan.getValue(urgent).spare?.id shouldBe "only"
        plan.getValue(calm).spare shouldBe null
        plan.getValue(calm).verdicts.getValue("only").why shouldBe
            "slot 0 of urgent gets it, which is more urgent"
        val warning = want("warned", 0, empty = false)
        SpareChoice.assign(listOf(warning, calm), only) { emptyList() }.getValue(calm).spare?.id shouldBe "only"
    }

    "a group with spares of its own leaves the shared one to others" {
        val urgent = want("urgent", 0)
        val calm = want("calm", 1)
        val own = listOf(spare("own", dedicated = true))
        val plan = SpareChoice.assign(listOf(urgent, calm), listOf(spare("shared"))) {
            if (it == "urgent") own else emptyList()
        }
        plan.mapValues { it.value.spare?.id } shouldBe mapOf(urgent to "own", calm to "shared")
    }

    "in any case: none twice, none unfit, and none left over that somebody more urgent could have had" {
        for (seed in 1L..2000L) {
            val random = Random(seed)
            val spares = List(random.nextInt(6)) {
                spare("s$it", random.nextLong(90, 120), if (random.nextBoolean()) HDD else SSD)
            }
            val wants = List(random.nextInt(6)) {
                want("g$it", random.nextInt(3), bytes = random.nextLong(90, 120), empty = random.nextInt(3) > 0)
            }
            val plan = SpareChoice.assign(wants.shuffled(random), spares) { emptyList() }
            withClue("seed $seed") {
                plan.keys shouldBe wants.toSet()
                val given = plan.values.mapNotNull { it.spare }
                given.distinct() shouldBe given
                for ((want, choice) in plan) {
                    choice.spare?.let { (it.size >= want.need.bytes) shouldBe true }
                    if (choice.spare != null) continue
                    val better = plan.filterKeys { other ->
                        if (other.empty != want.empty) other.empty else other.endangerment <= want.endangerment
                    }.values.mapNotNull { it.spare }
                    (spares - better.toSet()).none { it.size >= want.need.bytes } shouldBe true
                }
            }
        }
    }
})
