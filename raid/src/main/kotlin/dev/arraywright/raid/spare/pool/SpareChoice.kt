package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.spare.SpareVerdict
import dev.arraywright.spi.device.DeviceType

/** A spare as it is chosen from others; [obstacle] is why it cannot be had now, [passing] if that ends by itself. */
internal data class Candidate(
    val id: String,
    val size: Long,
    val block: Int,
    val type: DeviceType,
    val domain: String?,
    val dedicated: Boolean,
    val obstacle: String? = null,
    val passing: Boolean = false,
)

/** What a slot asks of a spare; [domains] are those of the group's other members, empty where it has none. */
internal data class Need(
    val bytes: Long,
    val block: Int,
    val types: Set<DeviceType>,
    val domains: Set<String>,
)

/** A slot that asks for a spare. An [empty] one comes before one whose member is only predicted to fail. */
internal data class Want(
    val group: String,
    val slot: Int,
    val need: Need,
    val endangerment: Endangerment,
    val empty: Boolean,
    val device: String?,
    val cause: String,
)

/** The spare to take, if any, and why each is eligible or not; [later]: one that is not may be soon. */
internal data class Choice(
    val spare: Candidate?,
    val verdicts: Map<String, SpareVerdict>,
    val later: Boolean,
)

/**
 * Which spare to take, as a pure function. One that is too small never; of the others, in this order:
 * dedicated to the group, of the members' media type, from another failure domain, the smallest.
 */
internal object SpareChoice {
    fun choose(need: Need, candidates: List<Candidate>): Choice {
        val verdicts = candidates.associate { it.id to verdict(need, it) }
        val eligible = candidates.filter { verdicts.getValue(it.id).eligible }
        val best = eligible.minWithOrNull(
            compareBy({
                !it.dedicated
            }, { it.type !in need.types }, { it.domain in need.domains }, { it.size }, { it.id }),
        )
        val later = candidates.any { it.passing && verdict(need, it.copy(obstacle = null)).eligible }
        return Choice(best, verdicts, later)
    }

    fun verdict(need: Need, candidate: Candidate): SpareVerdict {
        val obstacle = when {
            candidate.size < need.bytes -> "it has ${candidate.size} bytes, and a member needs ${need.bytes}"
            candidate.block > need.block -> "its blocks are of ${candidate.block} bytes, the array's of ${need.block}"
            else -> candidate.obstacle
        }
        if (obstacle != null) return SpareVerdict(false, obstacle)
        val remarks = listOfNotNull(
            if (candidate.dedicated) "dedicated to the group" else "of the shared pool",
            "large enough",
            if (candidate.type in need.types) null else "of another type than the members: ${candidate.type}",
            candidate.domain?.takeIf { it in need.domains }?.let { "in one failure domain with a member: $it" },
        )
        return SpareVerdict(true, remarks.joinToString())
    }

    /**
     * Who gets which spare when several slots ask: the most endangered group first, and empty slots before predicted
     * failures. A spare that another one gets is not eligible.
     */
    fun assign(
        wants: List<Want>,
        shared: List<Candidate>,
        dedicated: (String) -> List<Candidate>,
    ): Map<Want, Choice> {
        val given = HashMap<String, Want>()
        val order = compareBy<Want>({ !it.empty }, { it.endangerment }, { it.group }, { it.slot })
        return wants.sortedWith(order).associateWith { want ->
            val candidates = (dedicated(want.group) + shared).map { candidate ->
                val other = given[candidate.id] ?: return@map candidate
                candidate.copy(obstacle = "slot ${other.slot} of ${other.group} gets it, which is more urgent")
            }
            choose(want.need, candidates).also { choice -> choice.spare?.let { given[it.id] = want } }
        }
    }
}
