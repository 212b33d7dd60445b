package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/**
 * What happened: one data class a kind, by family in `DeviceOccurrences.kt`, `RebuildOccurrences.kt`,
 * `ArrayOccurrences.kt`, `ScrubOccurrences.kt`, `HardwareOccurrences.kt`, `DriverOccurrences.kt` and
 * `ConfigurationOccurrences.kt`. Sizes are bytes, devices are named by address.
 */
@Serializable(with = OccurrenceSerializer::class)
public sealed interface Occurrence {
    /** The stable name of the kind. */
    public val topic: Topic

    /** The array or group it happened to, [KERNEL] where it is none. */
    public val subject: String

    /** One line for people, which does not repeat the [subject]. */
    public val message: String

    /** Why, where that is known. */
    public val cause: String?

    /** [Topic.text], also of a kind that this version does not know. */
    public val topicText: String get() = topic.text

    /** What another version wrote, and this one cannot read: all its fields, as they were. */
    public data class Unknown(override val topicText: String, public val json: JsonObject) : Occurrence {
        override val topic: Topic get() = Topic.UNKNOWN
        override val subject: String get() = text("subject") ?: KERNEL
        override val message: String get() = text("message").orEmpty()
        override val cause: String? get() = text("cause")

        private fun text(key: String): String? = (json[key] as? JsonPrimitive)?.takeIf { it.isString }?.content
    }

    public companion object {
        /** The subject of what happened to no array in particular, such as to a shared spare. */
        public const val KERNEL: String = "kernel"
    }
}

internal fun percentOf(done: Long, total: Long): Int =
    if (total <= 0) 100 else (done.coerceIn(0, total).toDouble() * 100 / total).toInt()

/** `because`, where there is a [cause]. */
internal fun Occurrence.why(): String = cause?.let { ": $it" }.orEmpty()
