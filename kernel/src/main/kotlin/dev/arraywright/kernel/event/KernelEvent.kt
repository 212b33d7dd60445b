package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable
import java.time.Instant

/**
 * Something that happened in a kernel: [occurrence] says what. [sequence] counts up from 1 without gaps, across restarts
 * too where there is a journal; [time] is the kernel's clock. As JSON it is one flat object, see [KernelEventSerializer].
 */
@Serializable(with = KernelEventSerializer::class)
public data class KernelEvent(
    public val sequence: Long,
    public val time: Instant,
    public val occurrence: Occurrence,
) {
    /** The stable name of the kind, for programs. */
    public val topic: Topic get() = occurrence.topic

    /** The array or group it happened to; [Occurrence.KERNEL] where it is none. */
    public val subject: String get() = occurrence.subject

    /** One line for people. */
    public val message: String get() = occurrence.message

    override fun toString(): String = "$time ${occurrence.topicText} $subject: $message"
}

/** The stable names of what can happen; [text] is the form on the wire, in logs and in the journal. */
public enum class Topic(public val text: String) {
    DEVICE_GROUP_CREATED("device.group.created"),
    DEVICE_ADDED("device.added"),
    DEVICE_REMOVED("device.removed"),
    DEVICE_LEFT_OUT("device.left.out"),
    DEVICE_HEALTH_WARNING("device.health.warning"),
    DEVICE_FAILED("device.failed"),
    DEVICE_RETURNED("device.returned"),
    DEVICE_READDED("device.readded"),
    FAILOVER_STARTED("device.failover.started"),
    REBUILD_STARTED("device.rebuild.started"),
    REBUILD_PROGRESS("device.rebuild.progress"),
    REBUILD_COMPLETE("device.rebuild.complete"),
    REBUILD_FAILED("device.rebuild.failed"),
    REBUILD_CANCELLED("device.rebuild.cancelled"),
    REBUILD_PAUSED("device.rebuild.paused"),
    REBUILD_RESUMED("device.rebuild.resumed"),
    SPARE_ADDED("device.spare.added"),
    SPARE_AWAITED("device.spare.awaited"),
    SPARE_REMOVED("device.spare.removed"),
    SPARE_FAILED("device.spare.failed"),
    SPARE_EXHAUSTED("device.spare.exhausted"),
    ARRAY_ASSEMBLED("array.assembled"),
    ARRAY_RESYNC_STARTED("array.resync.started"),
    ARRAY_RESYNC_COMPLETE("array.resync.complete"),
    ARRAY_DEGRADED("array.degraded"),
    ARRAY_RECOVERED("array.recovered"),
    ARRAY_FAILED("array.failed"),
    ARRAY_STOPPED("array.stopped"),
    SCRUB_STARTED("scrub.started"),
    SCRUB_PROGRESS("scrub.progress"),
    SCRUB_COMPLETE("scrub.complete"),
    SCRUB_FAILED("scrub.failed"),
    SCRUB_STOPPED("scrub.stopped"),
    SCRUB_PAUSED("scrub.paused"),
    SCRUB_RESUMED("scrub.resumed"),
    POLICY_CHANGED("policy.changed"),
    SUPERVISOR_TROUBLE("supervisor.trouble"),
    EXPORT_STARTED("export.started"),
    EXPORT_STOPPED("export.stopped"),
    HARDWARE_ADDED("hardware.added"),
    HARDWARE_REMOVED("hardware.removed"),
    HARDWARE_CHANGED("hardware.changed"),
    HARDWARE_HEALTH_WARNING("hardware.health.warning"),
    HARDWARE_HEALTH_RECOVERED("hardware.health.recovered"),
    MEMORY_PRESSURE("memory.pressure"),
    MEMORY_RELEASED("memory.released"),
    DRIVER_LOADED("driver.loaded"),
    DRIVER_UNLOADED("driver.unloaded"),
    DRIVER_LOAD_FAILED("driver.load.failed"),
    DRIVER_UNLOAD_FAILED("driver.unload.failed"),
    DRIVER_LEAKED("driver.leaked"),
    DRIVER_UPGRADED("driver.upgraded"),
    DRIVER_FAILED("driver.failed"),
    DRIVER_QUARANTINED("driver.quarantined"),
    DRIVER_WAITING("driver.waiting"),
    CONFIGURATION_CHANGED("configuration.changed"),
    CONFIGURATION_REJECTED("configuration.rejected"),

    /** Of a newer kernel's journal; [Occurrence.topicText] has its name. */
    UNKNOWN("unknown"),
    ;

    public companion object {
        private val byText = entries.associateBy { it.text }

        /** The topic of that [text], [UNKNOWN] if there is none. */
        public fun of(text: String): Topic = byText[text] ?: UNKNOWN
    }
}
