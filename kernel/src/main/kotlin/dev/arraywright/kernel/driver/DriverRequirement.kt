package dev.arraywright.kernel.driver

/** Another driver that has to run first: its [name], and the [range] of its versions that will do. */
public data class DriverRequirement(public val name: String, public val range: VersionRange = VersionRange.ANY) {
    init {
        requireDriverName(name)
    }

    /** As [parse] reads it. */
    override fun toString(): String = if (range == VersionRange.ANY) name else "$name $range"

    public companion object {
        /**
         * Reads a name and, after a blank, a range of versions: `fabric ^1.2`. Without a range any version will do.
         *
         * @throws IllegalArgumentException if it is no requirement, in words for an operator
         */
        public fun parse(text: String): DriverRequirement {
            val name = text.substringBefore(' ')
            val range = text.substring(name.length).trim()
            return DriverRequirement(name, if (range.isEmpty()) VersionRange.ANY else VersionRange.parse(range))
        }
    }
}

internal fun requireDriverName(name: String) {
    require(NAME.matches(name)) {
        "${shown(name)} is no driver's name: lower-case letters, digits and - . _, a letter or digit first, " +
            "$LONGEST_NAME at most"
    }
}

private const val LONGEST_NAME = 64
private val NAME = Regex("[a-z0-9][a-z0-9._-]{0,${LONGEST_NAME - 1}}")
