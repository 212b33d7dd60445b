package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.linux.Triggers
import dev.arraywright.hardware.memory.figures.Lineage
import dev.arraywright.hardware.memory.figures.MemoryCgroup
import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.spi.memory.MemoryPressure.Level
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * How far the process's cgroup and those above it are from their limits; the tightest counts. Charged memory that is
 * cached files not used lately is no shortage, as the kernel takes that back first.
 *
 * Cgroup v2 wakes it through `memory.events`. At the looks in between one file is read for each cgroup with a limit,
 * because those events come only when the limit is reached; the limits themselves are read again once a minute.
 */
internal class CgroupSource(
    private val lineages: List<Lineage>,
    private val options: MemoryOptions,
    private val poller: Poller?,
) : PressureSource {
    override val name: String get() = NAME

    private val woken = AtomicBoolean()
    private val watches = ArrayList<AutoCloseable>()
    private val cgroups = lineages.flatMap { it.cgroups }
    private var limited = emptyList<MemoryCgroup>()
    private var scanned: Duration? = null
    private var kills: Map<MemoryCgroup, Long> = emptyMap()
    private var killedAt: Duration? = null

    override fun open(wake: () -> Unit): PressureSourceStatus {
        if (cgroups.none { it.current() != null }) {
            val why = lineages.mapNotNull { it.absence }.ifEmpty { listOf("no cgroup accounts for memory here") }
            return PressureSourceStatus(NAME, false, why.distinct().joinToString("; "))
        }
        limited = cgroups.filter { it.tightest() != null }
        kills = cgroups.associateWith { it.kills() }
        val told = cgroups.filter { it.version == 2 && watch(it, wake) }
        val limits = limited.joinToString { "${it.path} ${it.tightest()}" }.ifEmpty { "none" }
        val how = if (told.isEmpty()) "sampled" else "the kernel wakes it"
        return PressureSourceStatus(NAME, true, "$how; limits: $limits")
    }

    private fun watch(cgroup: MemoryCgroup, wake: () -> Unit): Boolean {
        if (poller == null) return false
        var events: Descriptor? = null
        return try {
            events = Triggers.changes("${cgroup.directory}/memory.events")
            val watch = poller.watch(events, Epoll.EPOLLPRI) {
                woken.set(true)
                wake()
            }
            watches += watch
            watches += events
            true
        } catch (_: PosixException) {
            events?.close()
            false
        }
    }

    override fun look(moment: Moment): Demand {
        val isWoken = woken.getAndSet(false)
        val last = scanned
        if (isWoken || last == null || moment.now - last >= 1.minutes) {
            limited = cgroups.filter { it.tightest() != null }
            scanned = moment.now
            if (isWoken) notice(moment.now)
        }
        val demands = limited.map { demand(it) }
        val worst = demands.maxWithOrNull(compareBy({ it.level }, { it.bytes })) ?: return Demand.none(NAME)
        val floor = demands.maxOf { it.floor }
        val killed = killedAt?.let { moment.now - it < RECENT } ?: false
        return if (killed && worst.level > Level.NONE) {
            worst.copy(level = Level.CRITICAL, floor = Level.CRITICAL)
        } else {
            worst.copy(floor = floor)
        }
    }

    private fun notice(now: Duration) {
        val counted = cgroups.associateWith { it.kills() }
        if (counted.any { (cgroup, count) -> count > (kills[cgroup] ?: 0) }) killedAt = now
        kills = counted
    }

    private fun demand(cgroup: MemoryCgroup): Demand {
        val limit = cgroup.tightest() ?: return Demand.none(NAME)
        val current = cgroup.current() ?: return Demand.none(NAME)
        val distance = options.distance(limit)
        val near = distance + (distance * options.band).toLong() + 1
        if (limit - current >= near) return Demand.none(NAME)
        val left = limit - (current - cgroup.spare()).coerceAtLeast(0)
        return Demand.ofShortfall(NAME, left, distance, options.band)
    }

    override fun close() {
        watches.forEach(AutoCloseable::close)
        watches.clear()
    }

    private companion object {
        const val NAME = "cgroup"
        val RECENT = 2.seconds
    }
}
