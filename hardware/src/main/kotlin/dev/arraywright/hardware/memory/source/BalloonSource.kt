package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.memory.figures.FiguresException
import dev.arraywright.hardware.memory.figures.Meminfo
import dev.arraywright.hardware.memory.figures.VmstatParser
import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure.Level

/**
 * The balloon by which the hypervisor takes memory from this guest. What the host wishes is not shown to the guest, but
 * how much it has taken is: `Balloon:` of meminfo (since Linux 6.16, the same read as for what is available), before
 * that the counters of vmstat. A balloon that grows while the guest runs short asks for what it took, and a growing one
 * is met ahead: as much as it grew since the last look should be left on top of the reserve.
 */
internal class BalloonSource(
    private val sys: SystemTree,
    private val proc: SystemTree,
    private val options: MemoryOptions,
    private val pageSize: () -> Long,
) : PressureSource {
    override val name: String get() = NAME

    private var size = 0L
    private var sizeWhenEnough = 0L

    override fun open(wake: () -> Unit): PressureSourceStatus {
        val meminfo = Moment.meminfo(proc)
        val held = meminfo?.let { held(it) }
        val device = Balloon.find(sys)
        return when {
            meminfo == null -> PressureSourceStatus(NAME, false, proc.why("meminfo") ?: "meminfo tells nothing")
            held == null -> PressureSourceStatus(NAME, false, "the kernel does not count what a balloon holds")
            device == null && held == 0L -> PressureSourceStatus(NAME, false, Balloon.ABSENCE)
            else -> {
                size = held
                sizeWhenEnough = held
                val where = if (meminfo.balloon != null) "meminfo" else "vmstat"
                PressureSourceStatus(NAME, true, "sampled from $where; ${device ?: "a balloon"} holds $held bytes")
            }
        }
    }

    override fun look(moment: Moment): Demand {
        val meminfo = moment.meminfo ?: return Demand.none(NAME)
        val now = held(meminfo) ?: return Demand.none(NAME)
        val grown = (now - size).coerceAtLeast(0)
        size = now
        val wanted = options.machineReserve(meminfo.total) + grown
        if (meminfo.available >= wanted) {
            sizeWhenEnough = now
            return Demand.none(NAME)
        }
        sizeWhenEnough = minOf(sizeWhenEnough, now)
        val taken = now - sizeWhenEnough
        if (taken == 0L) return Demand.none(NAME)
        val demand = Demand.ofShortfall(NAME, meminfo.available, wanted, options.band)
        return if (demand.level == Level.NONE) demand else demand.copy(bytes = minOf(demand.bytes, taken))
    }

    private fun held(meminfo: Meminfo): Long? {
        meminfo.balloon?.let { return it }
        return try {
            val pages = proc.text("vmstat")?.let(VmstatParser::balloonPages) ?: return null
            Math.multiplyExact(pages, pageSize())
        } catch (_: FiguresException) {
            null
        } catch (_: ArithmeticException) {
            null
        }
    }

    override fun close() = Unit

    private companion object {
        const val NAME = "balloon"
    }
}

/**
 * A virtio balloon device.
 *
 * @property freePageReporting whether the host is told of free pages without a request, so that what is given back to
 *   this guest's kernel goes back to the host
 */
internal data class Balloon(val device: String, val freePageReporting: Boolean) {
    override fun toString(): String = "$device${if (freePageReporting) " (with free page reporting)" else ""}"

    companion object {
        const val ABSENCE = "there is no virtio balloon among the devices"
        private const val REPORTING_BIT = 5

        /** The first one, if there is any. */
        fun find(sys: SystemTree): Balloon? {
            val device = sys.names("bus/virtio/devices").find { name ->
                sys.text("bus/virtio/devices/$name/device")?.removePrefix("0x")?.toIntOrNull(16) == 5
            } ?: return null
            // Bits from the lowest on, as characters.
            val features = sys.text("bus/virtio/devices/$device/features").orEmpty()
            return Balloon(device, features.getOrNull(REPORTING_BIT) == '1')
        }
    }
}
