package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.linux.Triggers
import dev.arraywright.hardware.memory.figures.Lineage
import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.spi.memory.MemoryPressure.Level
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * `memory.pressure_level` of cgroup v1: how hard the kernel finds it to take memory back, told through an eventfd for
 * each level. Low is everyday business (caches of files make room for one another) and asks for no bytes; the others
 * ask for a part of what the process could give back, as the kernel tells no amount.
 */
internal class CgroupLevelSource(
    private val lineage: Lineage,
    private val poller: Poller?,
    private val noPoller: String?,
) : PressureSource {
    override val name: String get() = NAME

    private val told = AtomicReference(Level.NONE)
    private val watches = ArrayList<AutoCloseable>()
    private var level = Level.NONE
    private var at = Duration.ZERO

    override fun open(wake: () -> Unit): PressureSourceStatus {
        val own = lineage.own ?: return PressureSourceStatus(NAME, false, lineage.absence.orEmpty())
        if (poller == null) return PressureSourceStatus(NAME, false, noPoller.orEmpty())
        return try {
            for (each in Level.entries - Level.NONE) watch(own.directory, each, poller, wake)
            PressureSourceStatus(NAME, true, "the kernel wakes it: ${own.path}")
        } catch (e: PosixException) {
            close()
            PressureSourceStatus(NAME, false, "${own.path}: ${e.message}")
        }
    }

    private fun watch(directory: String, level: Level, poller: Poller, wake: () -> Unit) {
        val event = Triggers.cgroupEvent(directory, "memory.pressure_level", level.name.lowercase())
        watches += event
        watches += poller.watch(event, Epoll.EPOLLIN) {
            if (Triggers.drain(event)) {
                told.accumulateAndGet(level) { a, b -> maxOf(a, b) }
                wake()
            }
        }
    }

    override fun look(moment: Moment): Demand {
        val news = told.getAndSet(Level.NONE)
        if (news > Level.NONE && (news >= level || moment.now - at >= LASTS)) {
            level = news
            at = moment.now
        } else if (moment.now - at >= LASTS) {
            level = Level.NONE
        }
        if (level == Level.NONE) return Demand.none(SOURCE)
        val share = when (level) {
            Level.MEDIUM -> 0.25
            Level.CRITICAL -> 0.75
            else -> 0.0
        }
        return Demand(SOURCE, level, level, if (share > 0) (moment.reclaimable * share).toLong() else 0)
    }

    override fun close() {
        watches.asReversed().forEach(AutoCloseable::close)
        watches.clear()
    }

    private companion object {
        const val NAME = "cgroup-level"
        const val SOURCE = "cgroup"

        /** The kernel tells again as long as it lasts, but has no word for its end. */
        val LASTS = 2.seconds
    }
}
