package dev.arraywright.kernel.event

import java.time.Instant

/**
 * Something that happened in a kernel. [topic] is a stable name for programs, [sequence] counts up from 1 without gaps
 * within one kernel, [time] is the kernel's clock, and [message] is a line for people.
 */
public data class KernelEvent(
    public val sequence: Long,
    public val time: Instant,
    public val topic: Topic,
    public val subject: String,
    public val message: String,
) {
    override fun toString(): String = "$time ${topic.text} $subject: $message"
}

/** The stable names of what can happen; [text] is the form on the wire and in logs. */
public enum class Topic(public val text: String) {
    DEVICE_GROUP_CREATED("device.group.created"),
    DEVICE_ADDED("device.added"),
    DEVICE_REMOVED("device.removed"),
    DEVICE_LEFT_OUT("device.left.out"),
    DEVICE_FAILED("device.failed"),
    REBUILD_STARTED("device.rebuild.started"),
    REBUILD_COMPLETE("device.rebuild.complete"),
    REBUILD_FAILED("device.rebuild.failed"),
    ARRAY_ASSEMBLED("array.assembled"),
    ARRAY_RESYNC_STARTED("array.resync.started"),
    ARRAY_RESYNC_COMPLETE("array.resync.complete"),
    ARRAY_DEGRADED("array.degraded"),
    ARRAY_RECOVERED("array.recovered"),
    ARRAY_FAILED("array.failed"),
    ARRAY_STOPPED("array.stopped"),
    EXPORT_STARTED("export.started"),
    EXPORT_STOPPED("export.stopped"),
}
