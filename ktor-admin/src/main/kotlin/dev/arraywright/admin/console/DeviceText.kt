package dev.arraywright.admin.console

import dev.arraywright.admin.control.machine.ChangeView
import dev.arraywright.admin.control.machine.DeviceDetail
import dev.arraywright.admin.control.machine.DeviceView
import dev.arraywright.admin.control.machine.SourceView
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonPrimitive

/** Devices as they are printed. */
internal object DeviceText {
    /** In a table; [none] where there are none. */
    fun table(devices: List<DeviceView>, source: SourceView, none: String): String {
        val notes = listOfNotNull(source.degraded?.let { "this may be out of date: $it" })
        if (devices.isEmpty()) return (listOf(none) + notes).joinToString("\n")
        val heading = listOf("Device", "Size", "Model", "Serial", "Transport", "Flags", "Node", "Health", "Use")
        val rows = devices.map {
            listOf(
                it.path ?: it.name,
                size(it),
                it.model ?: "-",
                it.serial ?: "-",
                it.transport ?: "-",
                flags(it),
                it.numaNode?.toString() ?: "-",
                health(it),
                use(it),
            )
        }
        return (listOf(Table.of(heading, rows)) + notes).joinToString("\n")
    }

    /** All that is known of a device, and how it is connected. */
    fun detail(detail: DeviceDetail): String {
        val device = detail.device
        val names = detail.around.associate { it.id to (it.path ?: it.name) }
        fun named(ids: List<String>) = ids.joinToString { names[it] ?: it }.ifEmpty { null }
        val fields = listOf(
            "Id" to device.id,
            "Name" to device.name,
            "Kind" to device.flags.joinToString(),
            "Number" to device.number,
            "Size" to if (device.size > 0) "${device.size} bytes (${DetailText.rounded(device.size)})" else null,
            "Blocks" to blocks(device),
            "Model" to device.model,
            "Serial" to device.serial,
            "WWN" to device.wwid,
            "Firmware" to device.firmware,
            "Transport" to device.transport,
            "Medium" to medium(device),
            "NUMA node" to device.numaNode?.toString(),
            "PCI" to device.pciAddress,
            "In sysfs" to device.sysPath,
            "File" to device.backingFile,
            "On" to device.parent?.let { named(listOf(it)) },
            "Parts" to named(device.children),
            "Made of" to named(device.members),
            "Held by" to named(device.holders),
            "Mounts" to device.mounts.joinToString().ifEmpty { null },
            "Use" to use(device),
        )
        val health = device.health?.let { HealthText.fields(it) }.orEmpty()
        return "${device.path ?: device.name}:\n" + Fields.of(fields + health)
    }

    /** One step, on one line. */
    fun change(change: ChangeView): String {
        val device = change.device
        val what = when (change.change) {
            "changed" -> change.differences.entries.joinToString("; ") { (name, it) ->
                "$name ${text(it.from)} -> ${text(it.to)}"
            }
            "added" -> listOfNotNull(size(device), device.model, flags(device), use(device)).joinToString("  ")
            else -> device.id
        }
        return "${change.change.padEnd(KIND)}  ${device.path ?: device.name}  $what"
    }

    private fun size(device: DeviceView) = if (device.size > 0) DetailText.rounded(device.size) else "-"

    private fun flags(device: DeviceView) = device.flags.filter { it != "block" }.joinToString(",").ifEmpty { "-" }

    private fun health(device: DeviceView): String {
        val health = device.health ?: return "-"
        return if (health.predictedFailure != null) "failing" else health.verdict
    }

    private fun use(device: DeviceView): String = when {
        device.inUse != null -> device.inUse
        device.free -> "free"
        "block" !in device.flags -> "-"
        device.size == 0L -> "no medium"
        device.readOnly -> "read-only"
        device.children.isNotEmpty() -> "has partitions"
        else -> "not free"
    }

    private fun blocks(device: DeviceView): String? = device.logicalBlockSize?.let { logical ->
        "$logical bytes" + device.physicalBlockSize?.let { ", $it physical" }.orEmpty()
    }

    private fun medium(device: DeviceView): String? = listOfNotNull(
        device.rotational?.let { if (it) "rotating" else "not rotating" },
        "removable".takeIf { device.removable },
        "read-only".takeIf { device.readOnly },
    ).joinToString().ifEmpty { null }

    private fun text(value: JsonElement): String = when (value) {
        is JsonNull -> "nothing"
        is JsonPrimitive -> value.content
        is JsonArray -> value.joinToString { text(it) }.ifEmpty { "nothing" }
        else -> "$value"
    }

    private const val KIND = 7
}
