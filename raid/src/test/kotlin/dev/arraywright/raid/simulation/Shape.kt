package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.layout.RaidLevel
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

/**
 * What kind of array a story is about: drawn from its seed, and small, so that everything meets often. One that is
 * [supervised] has redundancy to look after, and lives longer.
 */
class Shape(random: Random, val supervised: Boolean = false) {
    val level = RaidLevel.entries.filter { it.redundant() || !supervised }.let { it[random.nextInt(it.size)] }
    val members = level.minimumMembers() + random.nextInt(4)
    val chunk = 4096 shl random.nextInt(3)
    val block = if (random.nextInt(4) == 0) 4096 else 512
    val zeroed = random.nextBoolean()
    val policy = ArrayPolicy(
        memberDeadline = (if (random.nextBoolean()) 1000 else 3000).milliseconds,
        sweepWindow = 1 + random.nextInt(4),
        stripesInFlight = 1 + random.nextInt(16),
        checkpointBytes = 16_384L shl random.nextInt(3),
        bitmapDelay = (if (supervised) 200 + random.nextInt(2000) else 1 + random.nextInt(300)).milliseconds,
    )
    val bitmap: Int? = if (level.redundant() && random.nextBoolean()) 4096 shl random.nextInt(4) else null
    val dataSize = chunk.toLong() * (3 + random.nextInt(maxOf(1, (if (supervised) 32_768 else 65_536) / chunk)))

    /** Milliseconds that clients may leave the array alone, and that pass between mishaps at most. */
    val lull = if (supervised) 4000L else 500L
    val mishaps = if (supervised) 16 else 4

    override fun toString(): String =
        "$level of $members, chunk $chunk, block $block, $dataSize bytes each, zeroed $zeroed, bitmap $bitmap"
}

/** What often has a power cut right behind it: the moments when superblocks are written are those to get wrong. */
internal fun moment(random: Random, state: () -> ArrayState): () -> Boolean {
    var last = state()
    var changes = random.nextInt(16)
    val missing = last.missing
    return when (random.nextInt(4)) {
        0 -> ({ state().missing > missing })
        1 -> (
            {
                val now = state()
                if (now !== last) changes--
                last = now
                changes < 0
            }
        )
        else -> ({ false })
    }
}
