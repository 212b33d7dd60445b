package dev.arraywright.admin.control.machine

import dev.arraywright.kernel.config.HealthConfiguration
import kotlinx.serialization.Serializable

/** The machine's devices, how they are known, and the thresholds that hold for their health. */
@Serializable
internal data class HardwareView(
    val devices: List<DeviceView>,
    val source: SourceView,
    val thresholds: HealthConfiguration,
)

/** What is looked at ([probe]), what wakes it, and why it may be out of date ([degraded]). */
@Serializable
internal data class SourceView(
    val probe: String,
    val source: String,
    val polling: String? = null,
    val degraded: String? = null,
    val overflows: Long = 0,
)

/**
 * A device; sizes in bytes, other devices by id. [inUse] says who uses it, arrays of Arraywright included; [free]: it
 * could be given away; [disk]: it has blocks of its own.
 */
@Serializable
internal data class DeviceView(
    val id: String,
    val name: String,
    val flags: List<String>,
    val path: String? = null,
    val number: String? = null,
    val size: Long = 0,
    val logicalBlockSize: Int? = null,
    val physicalBlockSize: Int? = null,
    val model: String? = null,
    val serial: String? = null,
    val wwid: String? = null,
    val firmware: String? = null,
    val transport: String? = null,
    val rotational: Boolean? = null,
    val removable: Boolean = false,
    val readOnly: Boolean = false,
    val numaNode: Int? = null,
    val pciAddress: String? = null,
    val parent: String? = null,
    val children: List<String> = emptyList(),
    val members: List<String> = emptyList(),
    val holders: List<String> = emptyList(),
    val mounts: List<String> = emptyList(),
    val inUse: String? = null,
    val free: Boolean = false,
    val disk: Boolean = false,
    val backingFile: String? = null,
    val sysPath: String = name,
    val health: HealthView? = null,
)

/** A device and those around it, from its parents down to what stands on it, each by id. */
@Serializable
internal data class DeviceDetail(val device: DeviceView, val around: List<DeviceView> = emptyList())
