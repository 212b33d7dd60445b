package dev.arraywright.kernel.driver

import org.semver4j.Semver
import org.semver4j.SemverException

/** A semantic version such as `1.4.2` or `2.0.0-beta.1`; ordered by precedence, equal as written. */
public class DriverVersion private constructor(internal val semver: Semver) : Comparable<DriverVersion> {
    /** Whether this platform is new enough for what asks for [minimum]; its own pre-release counts as the release. */
    internal fun serves(minimum: DriverVersion): Boolean = semver.withClearedPreReleaseAndBuild() >= minimum.semver

    override fun compareTo(other: DriverVersion): Int = semver.compareTo(other.semver)

    override fun equals(other: Any?): Boolean = other is DriverVersion && semver == other.semver

    override fun hashCode(): Int = semver.hashCode()

    override fun toString(): String = semver.version

    public companion object {
        /** This Arraywright's own. */
        public val PLATFORM: DriverVersion = parse("0.1.0")

        /**
         * Reads all three numbers, and a pre-release or build part if there is one.
         *
         * @throws IllegalArgumentException if it is no semantic version, in words for an operator
         */
        public fun parse(text: String): DriverVersion {
            val parsed = try {
                if (text.length <= LONGEST) Semver(text) else null
            } catch (_: SemverException) {
                null
            }
            // The library takes " v1.2.3" too.
            require(parsed != null && parsed.version == text) {
                "${shown(text)} is no semantic version such as 1.4.2"
            }
            return DriverVersion(parsed)
        }
    }
}

/**
 * Which versions will do, as npm writes it: `1.2.3`, `^1.2`, `~1.2.3`, `>=1.0 <3`, `1.x`, `*`, `1.0 - 2.3`, and several
 * of these with `||` between them. A pre-release is in a range only if the range names one of the same numbers.
 */
public class VersionRange private constructor(private val text: String) {
    /** Whether [version] will do. */
    public operator fun contains(version: DriverVersion): Boolean = version.semver.satisfies(text)

    override fun equals(other: Any?): Boolean = other is VersionRange && text == other.text

    override fun hashCode(): Int = text.hashCode()

    override fun toString(): String = text

    public companion object {
        /** Every version that is no pre-release. */
        public val ANY: VersionRange = VersionRange("*")

        /**
         * Reads a range as above.
         *
         * @throws IllegalArgumentException if it is none, in words for an operator
         */
        public fun parse(text: String): VersionRange {
            // The library takes anything, and makes of what it does not understand a range that nothing is in.
            val understood = text.length <= LONGEST && text.split("||").all { ALTERNATIVE.matches(it.trim()) }
            require(understood) { "${shown(text)} is no range of versions such as ^1.2 or '>=1.0 <3'" }
            return VersionRange(text)
        }

        private const val NUMBER = """(?:0|[1-9]\d{0,8})"""
        private const val PRE = """(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)"""
        private const val PARTIAL = """(?:[*xX]|$NUMBER(?:\.[*xX]|\.$NUMBER(?:\.[*xX]|\.$NUMBER$PRE?)?)?)"""
        private const val COMPARATOR = """(?:\^|~|>=|<=|>|<|=)?$PARTIAL"""
        private val ALTERNATIVE = Regex("""$PARTIAL +- +$PARTIAL|$COMPARATOR(?: +$COMPARATOR)*""")
    }
}

private const val LONGEST = 200

/** Another's text in a message: quoted, short, and nothing in it that a terminal would obey. */
internal fun shown(text: String): String = "'${plain(text, 80)}'"

/** The same, not quoted. */
internal fun plain(text: String, most: Int = 200): String {
    val printable = text.take(most).map { if (it.isISOControl() || it.isSurrogate()) '?' else it }.joinToString("")
    return if (text.length > most) "$printable…" else printable
}
