package dev.arraywright.hardware.memory.pressure

import dev.arraywright.hardware.memory.figures.FiguresException
import dev.arraywright.hardware.memory.figures.Meminfo
import dev.arraywright.hardware.memory.figures.MeminfoParser
import dev.arraywright.hardware.tree.SystemTree
import kotlin.time.Duration

/**
 * One place that tells of memory pressure. All calls come from one coroutine, on a dispatcher on which they may block
 * for a file of `/proc` or `/sys`. A source that nothing woke and that asked for nothing reads no file in [look],
 * unless the kernel has no way to wake it.
 */
internal interface PressureSource : AutoCloseable {
    val name: String

    /** Begins; the source then calls [wake], from any thread, when there is something to look at. Never throws. */
    fun open(wake: () -> Unit): PressureSourceStatus

    /** What it asks for at [moment]; not called where [open] said that it is not active. Never throws. */
    fun look(moment: Moment): Demand
}

/**
 * Whether a source of memory pressure is at work.
 *
 * @property source its name: `psi`, `cgroup-psi`, `cgroup`, `cgroup-level`, `available`, `balloon`
 * @property detail how it is watched, or why it is not
 */
public data class PressureSourceStatus(val source: String, val active: Boolean, val detail: String)

/** One look of all sources: what more than one of them needs is read once, when it is needed. */
internal class Moment(
    /** Time since the monitor began. */
    val now: Duration,
    private val proc: SystemTree,
    private val reclaimableBytes: () -> Long,
) {
    /** Null where the kernel does not tell. */
    val meminfo: Meminfo? by lazy(LazyThreadSafetyMode.NONE) { meminfo(proc) }

    /** Bytes that this process could give back. */
    val reclaimable: Long by lazy(LazyThreadSafetyMode.NONE) { reclaimableBytes().coerceAtLeast(0) }

    companion object {
        fun meminfo(proc: SystemTree): Meminfo? =
            try {
                proc.text("meminfo")?.let(MeminfoParser::parse)
            } catch (_: FiguresException) {
                null
            }
    }
}
