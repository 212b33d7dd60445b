package dev.arraywright.admin.control.machine

import kotlinx.serialization.Serializable

/** Something that the machine has, or lacks for the reason [absence]. */
@Serializable
internal data class CapabilityView(
    val name: String,
    val available: Boolean,
    val details: Map<String, String> = emptyMap(),
    val absence: String? = null,
)

/** What the machine runs on, and what container this process runs in. */
@Serializable
internal data class PlatformView(
    val hypervisor: ConclusionView,
    val container: ConclusionView,
    val virtualMachine: Boolean,
    val controlDomain: Boolean,
    /** What could not be looked at, and why. */
    val unread: List<String> = emptyList(),
)

/** A conclusion with all of its evidence, weightiest first. */
@Serializable
internal data class ConclusionView(val kind: String, val confidence: String, val evidence: List<EvidenceView>)

/** One thing that was found: [weight] is from 1 to 100. */
@Serializable
internal data class EvidenceView(val source: String, val finding: String, val pointsTo: String, val weight: Int)

/** How short memory is: [level] is `none`, `low`, `medium` or `critical`. */
@Serializable
internal data class MemoryView(
    val level: String,
    val bytesToRelease: Long,
    /** What noticed. */
    val source: String? = null,
    val sources: List<PressureSourceView> = emptyList(),
    /** Why memory that is given back is of use to nobody else, where that is so. */
    val balloonAbsence: String? = null,
    /** The last times that memory was given back. */
    val rounds: List<RoundView> = emptyList(),
    val buffers: BuffersView,
)

/** Whether pressure is judged by [source]; [detail] says how, or why not. */
@Serializable
internal data class PressureSourceView(val source: String, val active: Boolean, val detail: String)

/** What was asked for, what each part released, and by how much the process became smaller; bytes. */
@Serializable
internal data class RoundView(
    val time: String,
    val asked: Long,
    val released: Map<String, Long>,
    val confirmed: Long,
    val cause: String? = null,
)

/** The memory that I/O goes through, in bytes; what arrays set aside counts as in use. [waiting] counts requests. */
@Serializable
internal data class BuffersView(
    val limit: Long,
    val inUse: Long,
    val idle: Long,
    val idleInReserves: Long,
    val waiting: Int,
)

/** The NUMA nodes; none where the machine is one, and [absence] says so. */
@Serializable
internal data class NumaView(val nodes: List<NodeView> = emptyList(), val absence: String? = null)

/** A node: bytes, CPUs, how far other nodes' memory is by node, PCI functions and what has blocks on them. */
@Serializable
internal data class NodeView(
    val id: Int,
    val memoryTotal: Long,
    val memoryFree: Long,
    val cpus: List<Int>,
    val distances: Map<Int, Int>,
    val pciDevices: List<String> = emptyList(),
    val devices: List<String> = emptyList(),
)
