package dev.arraywright.admin.console

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.kernel.spare.ScrubView
import dev.arraywright.spi.device.ByteSize
import java.util.Locale

/** An array as `detail` prints it. */
internal object DetailText {
    fun of(array: ArrayStatus): String = of(array, null)

    /** With the [scrub] that runs on it, or the last one. */
    fun of(array: ArrayStatus, scrub: ScrubView?): String = buildString {
        appendLine("${array.name}:")
        field("Level", array.level)
        field("UUID", array.uuid)
        field("Size", size(array.size))
        if (array.chunk > 0) field("Chunk", ByteSize.format(array.chunk.toLong()))
        field(
            "State",
            listOfNotNull(array.health.name.lowercase(), if (array.dirty) "dirty" else "clean").joinToString(),
        )
        if (array.rebuilds.isEmpty()) array.activity?.let { field("Activity", activity(it)) }
        array.rebuilds.forEach { field("Rebuild", "${it.id}: ${ProtectionText.line(it)}") }
        scrub?.let { field("Scrub", ProtectionText.line(it)) }
        array.bitmap?.let {
            field("Bitmap", "${it.dirty} of ${it.chunks} chunks of ${ByteSize.format(it.chunk)} dirty")
        }
        field("Events", array.events.toString())
        appendLine()
        append(table(array.members))
    }.trimEnd()

    fun line(array: ArrayStatus): String {
        val inSync = array.members.count { it.slot != null && it.state == "in-sync" }
        val slots = array.members.count { it.slot != null }
        val activity = array.activity?.let { ", ${activity(it)}" }.orEmpty()
        return "${array.name}: ${array.level}, ${size(
            array.size,
        )}, ${array.health.name.lowercase()}, $inSync of $slots members$activity"
    }

    private fun StringBuilder.field(name: String, value: String) {
        appendLine("${name.padStart(FIELD)} : $value")
    }

    private fun table(members: List<MemberStatus>): String {
        val rows = members.map { listOf(it.slot?.toString() ?: "-", it.state, it.address ?: "-", it.detail.orEmpty()) }
        return Table.of(listOf("Slot", "State", "Member", ""), rows)
    }

    private fun activity(activity: Activity): String {
        val percent = if (activity.total == 0L) 0.0 else activity.done * 100.0 / activity.total
        return String.format(
            Locale.ROOT,
            "%s %.1f%% (%s of %s)",
            activity.kind,
            percent,
            rounded(activity.done),
            rounded(activity.total),
        )
    }

    /** Exact, and rounded where that is shorter to read. */
    private fun size(bytes: Long) = "$bytes bytes (${rounded(bytes)})"

    fun rounded(bytes: Long): String {
        val units = listOf("B", "KiB", "MiB", "GiB", "TiB", "PiB")
        var value = bytes.toDouble()
        var unit = 0
        while (value >= 1024 && unit < units.lastIndex) {
            value /= 1024
            unit++
        }
        return String.format(Locale.ROOT, if (value % 1.0 == 0.0) "%.0f %s" else "%.1f %s", value, units[unit])
    }

    private const val FIELD = 10
}
