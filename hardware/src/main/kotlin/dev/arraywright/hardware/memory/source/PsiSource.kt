package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.linux.Triggers
import dev.arraywright.hardware.memory.figures.FiguresException
import dev.arraywright.hardware.memory.figures.PressureFigures
import dev.arraywright.hardware.memory.figures.PressureParser
import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure.Level
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit

/**
 * Stalls for want of memory (PSI): [file] is the machine's, or the process's own cgroup's. A trigger of the kernel's
 * wakes it; where none can be armed the file is read at each look.
 *
 * @param wholeMachine whether the stalls may be another cgroup's, at its own limit. Then they count only while the
 *   machine itself is short of memory, for nothing that is given back here would help a neighbour at its limit
 * @param poller null where no trigger can be watched, for [noPoller]
 */
internal class PsiSource(
    override val name: String,
    private val tree: SystemTree,
    private val file: String,
    private val wholeMachine: Boolean,
    private val options: MemoryOptions,
    private val poller: Poller?,
    private val noPoller: String?,
) : PressureSource {
    private val fired = AtomicBoolean()
    private var trigger: Descriptor? = null
    private var watch: AutoCloseable? = null
    private var last: Pair<Duration, PressureFigures>? = null

    override fun open(wake: () -> Unit): PressureSourceStatus {
        figures() ?: return PressureSourceStatus(name, false, tree.why(file) ?: "$file is no pressure file")
        if (poller == null) return PressureSourceStatus(name, true, "sampled: $noPoller")
        return try {
            val armed = arm("${tree.root}/$file", poller, wake)
            PressureSourceStatus(name, true, "the kernel wakes it: $armed")
        } catch (e: PosixException) {
            close()
            PressureSourceStatus(name, true, "sampled, as no trigger can be armed: ${e.message}")
        }
    }

    private fun arm(path: String, poller: Poller, wake: () -> Unit): String {
        val own = "some ${options.stall.inWholeMicroseconds} ${options.stallWindow.inWholeMicroseconds}"
        var text = own
        val descriptor = try {
            Triggers.pressure(path, own)
        } catch (e: PosixException) {
            if (e.errno != Errno.EINVAL) throw e
            // Without CAP_SYS_RESOURCE windows are multiples of 2 s.
            val stall = (WINDOW * options.stallShare).inWholeMicroseconds
            text = "some $stall ${WINDOW.inWholeMicroseconds}"
            Triggers.pressure(path, text)
        }
        trigger = descriptor
        watch = poller.watch(descriptor, Epoll.EPOLLPRI) {
            fired.set(true)
            wake()
        }
        return text
    }

    override fun look(moment: Moment): Demand {
        val woken = fired.getAndSet(false)
        val earlier = last
        if (trigger != null && !woken && earlier == null) return Demand.none(SOURCE)
        val figures = figures() ?: return Demand.none(SOURCE)
        if (wholeMachine && isElsewhere(moment)) {
            last = null
            return Demand.none(SOURCE)
        }
        val share = maxOf(share(figures, earlier, moment.now), if (woken) options.stallShare else 0.0)
        val demand = Demand.ofStall(SOURCE, share, options.stallShare, moment.reclaimable)
        last = if (trigger != null && demand.floor == Level.NONE) null else moment.now to figures
        return demand
    }

    /** Stalls since the earlier look, all tasks' counted twice; without one, the kernel's own average. */
    private fun share(now: PressureFigures, earlier: Pair<Duration, PressureFigures>?, at: Duration): Double {
        if (earlier == null) return maxOf(now.some.average10, now.full.average10 * 2)
        val micros = (at - earlier.first).toDouble(DurationUnit.MICROSECONDS)
        if (micros <= 0) return 0.0
        val some = (now.some.totalMicros - earlier.second.some.totalMicros) / micros
        val full = (now.full.totalMicros - earlier.second.full.totalMicros) / micros
        return maxOf(some, full * 2).coerceIn(0.0, 1.0)
    }

    private fun isElsewhere(moment: Moment): Boolean {
        val meminfo = moment.meminfo ?: return false
        return meminfo.available > options.machineReserve(meminfo.total) * NEAR
    }

    private fun figures(): PressureFigures? =
        try {
            tree.text(file)?.let(PressureParser::parse)
        } catch (_: FiguresException) {
            null
        }

    override fun close() {
        watch?.close()
        trigger?.close()
        watch = null
        trigger = null
    }

    private companion object {
        const val SOURCE = "psi"
        const val NEAR = 4
        val WINDOW = 2.seconds
    }
}
