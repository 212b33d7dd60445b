package dev.arraywright.admin.control.machine

import dev.arraywright.hardware.discovery.HardwareChange
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.jsonObject

/** A device was `added`, `removed` or `changed`; then [differences] has what is otherwise, by the name that it has there. */
@Serializable
internal data class ChangeView(
    val change: String,
    val device: DeviceView,
    val differences: Map<String, Difference> = emptyMap(),
) {
    /** Whether there are, or were, blocks to be seen. */
    val shows: Boolean get() = "block" in device.flags && (device.size > 0 || "size" in differences)

    companion object {
        private val json = Json { encodeDefaults = true }

        /** Null for a change of nothing that is shown. */
        fun of(change: HardwareChange): ChangeView? {
            val device = change.device.toView()
            return when (change) {
                is HardwareChange.Added -> ChangeView("added", device)
                is HardwareChange.Removed -> ChangeView("removed", device)
                is HardwareChange.Changed ->
                    ChangeView("changed", device, between(change.before.toView(), device))
                        .takeIf { it.differences.isNotEmpty() }
            }
        }

        private fun between(before: DeviceView, after: DeviceView): Map<String, Difference> {
            val (old, new) = tree(before) to tree(after)
            return new.filter { (name, value) -> old[name] != value }
                .mapValues { (name, value) -> Difference(old[name] ?: JsonNull, value) }
        }

        private fun tree(device: DeviceView) = json.encodeToJsonElement(DeviceView.serializer(), device).jsonObject
    }
}

/** What it was and what it is. */
@Serializable
internal data class Difference(val from: JsonElement, val to: JsonElement)
