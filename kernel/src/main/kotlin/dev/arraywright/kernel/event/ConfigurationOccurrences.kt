package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** The configuration file was edited, and counts as it is now. */
@Serializable
public data class ConfigurationChanged(
    public val file: String,
    /** What does not count yet or was left as it is. */
    public val notes: List<String> = emptyList(),
    /** What could not be brought about. */
    public val failures: List<String> = emptyList(),
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.CONFIGURATION_CHANGED
    override val cause: String? get() = null
    override val message: String
        get() = (listOf("$file was changed, and counts") + failures + notes).joinToString("; ")
}

/** The configuration file was edited, and cannot be used: what counted before goes on. */
@Serializable
public data class ConfigurationRejected(
    public val file: String,
    override val cause: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.CONFIGURATION_REJECTED
    override val message: String get() = "$file cannot be used, and what counted before it was changed goes on" + why()
}
