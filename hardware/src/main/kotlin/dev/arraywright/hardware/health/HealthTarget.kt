package dev.arraywright.hardware.health

/**
 * A device to watch the health of.
 *
 * @property id what reports and history go by; stable across restarts
 * @property path its special file, an absolute path
 * @property kind which interface tells its health
 * @property sysName its name in `/sys/block`
 */
public data class HealthTarget(
    public val id: String,
    public val path: String,
    public val kind: Kind,
    public val sysName: String,
) {
    init {
        require(id.isNotEmpty()) { "a device without an id" }
        require(path.startsWith("/")) { "$id: $path is not an absolute path" }
        require(sysName.isNotEmpty() && '/' !in sysName && !sysName.startsWith('.')) { "$id: not a name: $sysName" }
    }

    /** The interface that a device's health is told through. */
    public enum class Kind { NVME, SCSI, ATA, OTHER }
}
