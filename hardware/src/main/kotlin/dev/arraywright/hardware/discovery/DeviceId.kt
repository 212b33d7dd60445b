package dev.arraywright.hardware.discovery

/**
 * A device's name for as long as it exists, on whatever connector: unique among a machine's devices. Where the device
 * says nothing of itself the id is the place it is attached at, and [kind] tells.
 */
public data class DeviceId(
    /** What the id goes by. */
    val kind: Kind,
    /** The name itself, without white space. */
    val value: String,
) {
    /** What a [DeviceId] goes by. */
    public enum class Kind {
        /** A world-wide name, the same on every machine. */
        WWN,

        /** A model with its serial number, or the UUID of an array or a mapping. */
        SERIAL,

        /** Where it is attached; another device at the same place has the same id. */
        PATH,
    }

    override fun toString(): String = "${kind.name.lowercase()}:$value"

    public companion object {
        /** Parses what [toString] prints; null for anything else. */
        public fun parse(text: String): DeviceId? {
            val kind = Kind.entries.find { it.name.lowercase() == text.substringBefore(':', "") } ?: return null
            return text.substringAfter(':').ifEmpty { null }?.let { DeviceId(kind, it) }
        }
    }
}
