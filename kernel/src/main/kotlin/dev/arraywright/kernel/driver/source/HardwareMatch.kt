package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.scan.DriverCandidate

/**
 * What a driver's hardware patterns are compared with.
 *
 * @property kind what the discovery calls such devices, as `block`
 * @property name the kernel's name for it, as `nvme0n1`
 * @property modalias what the bus tells of it, as `pci:v00001AF4d00001042sv…`; empty where there is none
 */
public data class HardwareFacts(public val kind: String, public val name: String, public val modalias: String = "")

/**
 * Which driver serves which hardware: each pattern of [DriverInfo.hardwarePatterns] is a glob that fits the whole
 * modalias, or the kind and the name with a colon between them.
 */
public object HardwareMatch {
    /** Whether one of the driver's patterns fits. */
    public fun fits(facts: HardwareFacts, info: DriverInfo): Boolean = pattern(facts, info) != null

    /** As above, of a device that is of several kinds. */
    public fun fits(facts: List<HardwareFacts>, info: DriverInfo): Boolean = facts.any { fits(it, info) }

    /**
     * Those that fit, the best first: the one with the most specific pattern, then with the highest version. The same
     * in whatever order they are given.
     */
    public fun ranked(facts: HardwareFacts, candidates: Collection<DriverCandidate>): List<DriverCandidate> =
        ranked(listOf(facts), candidates)

    /** As above, for a device that is of several kinds. */
    public fun ranked(facts: List<HardwareFacts>, candidates: Collection<DriverCandidate>): List<DriverCandidate> =
        candidates.mapNotNull { candidate ->
            facts.mapNotNull { pattern(it, candidate.info) }.maxOrNull()?.let { it to candidate }
        }
            .sortedWith(compareByDescending<Pair<HardwarePattern, DriverCandidate>> { it.first }.then(byDriver))
            .map { it.second }

    /** The best of them, or null if none fits. */
    public fun best(facts: HardwareFacts, candidates: Collection<DriverCandidate>): DriverCandidate? =
        ranked(facts, candidates).firstOrNull()

    private fun pattern(facts: HardwareFacts, info: DriverInfo): HardwarePattern? =
        info.hardwarePatterns.map(::HardwarePattern).filter { it.fits(facts) }.maxOrNull()

    private val byDriver: Comparator<Pair<HardwarePattern, DriverCandidate>> =
        compareByDescending<Pair<HardwarePattern, DriverCandidate>> { it.second.info.version }
            .thenBy { it.second.info.name }
            .thenBy { it.second.info.version.toString() }
            .thenBy { it.second.info.entryType }
            .thenBy { it.second.jar.toString() }
}

/**
 * A glob: `*` is any text, `?` any character, `[a-f0]` one of a set and `[!a-f]` one that is not in it; a bracket that
 * is not closed is itself. Ordered by how specific it is: by the characters it spells out, then by fewer wildcards.
 */
internal class HardwarePattern(private val text: String) : Comparable<HardwarePattern> {
    private val parts: List<Part> = parse(text)
    private val literals = parts.count { it is Part.Literal }
    private val wildcards = parts.size - literals

    fun fits(facts: HardwareFacts): Boolean = matches("${facts.kind}:${facts.name}") ||
        (facts.modalias.isNotEmpty() && matches(facts.modalias))

    /** In time proportional to the product of the lengths at most, whatever the pattern. */
    fun matches(subject: String): Boolean {
        var at = 0
        var part = 0
        var star = -1
        var retry = 0
        while (at < subject.length) {
            val now = parts.getOrNull(part)
            when {
                now is Part.Any -> {
                    star = part++
                    retry = at
                }
                now != null && now.takes(subject[at]) -> {
                    at++
                    part++
                }
                // Only the latest star needs to take more: whatever an earlier one took, this one can.
                star >= 0 -> {
                    part = star + 1
                    at = ++retry
                }
                else -> return false
            }
        }
        return (part..<parts.size).all { parts[it] is Part.Any }
    }

    override fun compareTo(other: HardwarePattern): Int =
        compareValuesBy(this, other, { it.literals }, { -it.wildcards })

    override fun toString(): String = text

    private sealed interface Part {
        fun takes(character: Char): Boolean

        data object Any : Part {
            override fun takes(character: Char) = true
        }

        data object One : Part {
            override fun takes(character: Char) = true
        }

        class Literal(private val itself: Char) : Part {
            override fun takes(character: Char) = character == itself
        }

        class Set(private val ranges: List<CharRange>, private val inside: Boolean) : Part {
            override fun takes(character: Char) = ranges.any { character in it } == inside
        }
    }

    private companion object {
        fun parse(text: String): List<Part> = buildList {
            var at = 0
            while (at < text.length) {
                // A set has one character at least, so that "[]]" is one of a bracket.
                val close = if (text[at] == '[') text.indexOf(']', at + if (text.startsWith("[!", at)) 3 else 2) else -1
                when {
                    text[at] == '*' -> if (lastOrNull() != Part.Any) add(Part.Any)
                    text[at] == '?' -> add(Part.One)
                    close >= 0 -> add(set(text.substring(at + 1, close)))
                    else -> add(Part.Literal(text[at]))
                }
                at = if (close >= 0) close + 1 else at + 1
            }
        }

        fun set(content: String): Part {
            val listed = content.removePrefix("!")
            val ranges = ArrayList<CharRange>()
            var at = 0
            while (at < listed.length) {
                val range = at + 2 < listed.length && listed[at + 1] == '-'
                ranges += listed[at]..listed[if (range) at + 2 else at]
                at += if (range) 3 else 1
            }
            return Part.Set(ranges, inside = listed.length == content.length)
        }
    }
}
