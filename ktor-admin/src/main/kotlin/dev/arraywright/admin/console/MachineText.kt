package dev.arraywright.admin.console

import dev.arraywright.admin.console.DetailText.rounded
import dev.arraywright.admin.control.machine.CapabilityView
import dev.arraywright.admin.control.machine.ConclusionView
import dev.arraywright.admin.control.machine.MemoryView
import dev.arraywright.admin.control.machine.NodeView
import dev.arraywright.admin.control.machine.NumaView
import dev.arraywright.admin.control.machine.PlatformView

/** The machine as a whole as it is printed. */
internal object MachineText {
    fun capabilities(capabilities: List<CapabilityView>): String = Table.of(
        listOf("Capability", "There", "Details, or why not"),
        capabilities.map { capability ->
            // The evidence is what platform is for.
            val details = capability.details.filterKeys { "evidence" !in it }.entries
                .joinToString { (name, value) -> "$name=$value" }
            val text = listOfNotNull(capability.absence, details.ifEmpty { null }).joinToString("; ")
            listOf(capability.name, if (capability.available) "yes" else "no", text)
        },
    )

    fun platform(platform: PlatformView): String = (
        conclusion("Hypervisor", platform.hypervisor, if (platform.controlDomain) ", its control domain" else "") +
            conclusion("Container", platform.container, "") + platform.unread.map { "Not read: $it" }
    ).joinToString("\n")

    private fun conclusion(name: String, conclusion: ConclusionView, more: String): List<String> =
        listOf("$name: ${conclusion.kind} (${conclusion.confidence})$more") +
            conclusion.evidence.map { "  ${it.source}: ${it.finding} (${it.pointsTo}, ${it.weight} of 100)" }

    fun memory(memory: MemoryView): String {
        val pressure = listOfNotNull(
            memory.level,
            "${rounded(memory.bytesToRelease)} to give back".takeIf { memory.bytesToRelease > 0 },
            memory.source?.let { "by $it" },
        ).joinToString()
        val buffers = memory.buffers.run {
            "${rounded(inUse)} of ${rounded(limit)} in use, ${rounded(idle + idleInReserves)} idle, $waiting waiting"
        }
        val rounds = memory.rounds.map { round ->
            val parts = round.released.entries.joinToString { (name, bytes) -> "$name ${rounded(bytes)}" }
            "Gave back" to "${round.time}: $parts of ${rounded(round.asked)} asked, " +
                "${rounded(round.confirmed)} confirmed" + round.cause?.let { ", for $it" }.orEmpty()
        }
        val cache = memory.cache.run {
            "${rounded(bytes)} of ${rounded(limit)}, $hits hits, $misses misses, $evictions evictions"
        }
        val fields =
            listOf(
                "Pressure" to pressure,
                "Buffers" to buffers,
                "Read cache" to cache,
                "Balloon" to (memory.balloonAbsence ?: "yes"),
            )
        val sources = memory.sources.map { listOf(it.source, if (it.active) "yes" else "no", it.detail) }
        return Fields.of(fields + rounds) + "\n" + Table.of(listOf("Source", "Active", "How, or why not"), sources)
    }

    fun numa(numa: NumaView): String {
        if (numa.nodes.isEmpty()) return "there are no NUMA nodes to tell apart: ${numa.absence}"
        val ids = numa.nodes.map { it.id }
        val heading = listOf("Node", "Memory", "Free", "CPUs") + ids.map { "To $it" } + "Devices"
        return Table.of(heading, numa.nodes.map { row(it, ids) })
    }

    private fun row(node: NodeView, ids: List<Int>): List<String> {
        val distances = ids.map { node.distances[it]?.toString() ?: "-" }
        val devices = (node.devices + node.pciDevices).joinToString().ifEmpty { "-" }
        return listOf("${node.id}", rounded(node.memoryTotal), rounded(node.memoryFree), ranges(node.cpus)) +
            distances + devices
    }

    /** `0-3,8` for 0, 1, 2, 3 and 8, which are in order. */
    fun ranges(numbers: List<Int>): String {
        val ranges = mutableListOf<IntRange>()
        for (number in numbers) {
            val last = ranges.lastOrNull()
            if (last?.last == number - 1) ranges[ranges.lastIndex] = last.first..number else ranges += number..number
        }
        return ranges.joinToString(",") { if (it.first == it.last) "${it.first}" else "${it.first}-${it.last}" }
            .ifEmpty { "-" }
    }
}
