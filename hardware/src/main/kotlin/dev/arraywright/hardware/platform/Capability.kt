package dev.arraywright.hardware.platform

/**
 * Something that the machine, its kernel or an application has or lacks.
 *
 * @property name as [CapabilityRegistry] knows it
 * @property details what more is to be said of it, even where it is absent; in a stable order
 * @property absence why it is absent, for people; null exactly if it is [available]
 */
public data class Capability(
    val name: String,
    val available: Boolean,
    val details: Map<String, String>,
    val absence: String?,
) {
    init {
        require(available == (absence == null)) { "$name: absent exactly if there is a reason, not: $absence" }
    }

    /** One line, for people. */
    override fun toString(): String =
        buildString {
            append("$name: ${absence?.let { "absent, $it" } ?: "available"}")
            if (details.isNotEmpty()) details.entries.joinTo(this, prefix = "; ") { (key, value) -> "$key=$value" }
        }

    public companion object {
        /** One that is there. */
        public fun present(name: String, details: Map<String, String> = emptyMap()): Capability =
            Capability(name, true, details, null)

        /** One that is not there, and why. */
        public fun absent(name: String, why: String, details: Map<String, String> = emptyMap()): Capability =
            Capability(name, false, details, why)
    }
}

/** Finds out about one capability. It may block; nothing that it does may stay. */
public fun interface CapabilityProbe {
    /** Looks now. What it throws becomes the reason of an absent capability. */
    public suspend fun look(): Capability
}
