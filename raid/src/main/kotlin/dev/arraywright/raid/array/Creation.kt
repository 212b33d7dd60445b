package dev.arraywright.raid.array

import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.NewArray
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.spi.device.AsyncBlockDevice
import java.util.BitSet
import kotlin.time.toJavaInstant

/** Makes arrays. */
internal class Creation(private val runtime: ArrayRuntime, private val examination: Examination) {
    suspend fun create(spec: CreateSpec, members: List<AsyncBlockDevice>, spares: List<AsyncBlockDevice>): RaidArray {
        val all = members + spares
        requireDistinct(spec, all)
        requireUsefulSpares(spec, spares)
        for (device in all) {
            examination.requireFit(device)
            if (!spec.force) examination.requireBlank(device, null)
        }
        val description = describe(spec, members.size)
        val superblocks = checked(spec) {
            description.superblocks(all.map { NewArray.Member(it.info().size(), runtime.randomUuid()) })
        }
        val bitmap = checked(spec) { description.bitmap(superblocks[0]) }
        val start = start(spec, superblocks, members, all, bitmap)
        val ids = all.map { it.info().id() }
        val report = AssemblyReport(ids.take(members.size), ids.drop(members.size), emptyList(), emptyList())
        val array = RaidArray(runtime, superblocks[0].setUuid(), superblocks[0].name(), report, start).begin()
        val now = array.state.value
        if (now.missing > 0 || now.failure != null || now.spares.size < spares.size) {
            array.stop()
            throw ArrayException.DeviceFailed(
                "cannot create ${spec.name}",
                now.lastError ?: "a superblock could not be written",
                "replace the device; those already written need force next time",
                null,
            )
        }
        return array
    }

    private fun requireDistinct(spec: CreateSpec, devices: List<AsyncBlockDevice>) {
        val twice = devices.groupBy { it.info().id() }.values.firstOrNull { it.size > 1 } ?: return
        throw ArrayException.BadGeometry(
            "cannot create ${spec.name}",
            "${twice[0].info().id()} is named ${twice.size} times",
            "name each device once",
        )
    }

    private fun requireUsefulSpares(spec: CreateSpec, spares: List<AsyncBlockDevice>) {
        if (spares.isEmpty() || spec.level.redundant()) return
        throw ArrayException.BadGeometry("cannot create ${spec.name}", "raid0 has no use for spares", "leave them out")
    }

    private fun describe(spec: CreateSpec, count: Int): NewArray = checked(spec) {
        // The geometry's own complaint comes first: it is about what was asked for, not about formats.
        val chunk = if (spec.level == RaidLevel.RAID1) 0 else spec.chunk
        Geometry(spec.level, Geometry.defaultLayout(spec.level), count, chunk, maxOf(chunk, 4096).toLong())
        val name = if (spec.homeHost == null) spec.name else "${spec.homeHost}:${spec.name}"
        NewArray(
            spec.level.md(),
            chunk,
            count,
            runtime.randomUuid(),
            name,
            runtime.clock.now().toJavaInstant(),
            spec.assumeClean,
            spec.bitmapChunk ?: 0,
        )
    }

    private fun start(
        spec: CreateSpec,
        superblocks: List<Superblock>,
        members: List<AsyncBlockDevice>,
        all: List<AsyncBlockDevice>,
        bitmap: BitmapHeader?,
    ): RaidArray.Start = checked(spec) {
        val first = superblocks[0]
        val geometry = Geometry(spec.level, first.layout(), members.size, first.chunkSize(), first.dataSize())
        val observers = Observers()
        val seats = all.mapIndexed { i, device ->
            Seat(runtime.member(device, superblocks[i].dataOffset(), observers), i, superblocks[i])
        }
        val state = ArrayState(
            geometry = geometry,
            slots = members.mapIndexed { i, device -> SlotState(i, device.info().id(), MemberState.InSync) },
            spares = all.drop(members.size).map { it.info().id() },
            clean = true,
            resync = if (first.clean()) null else Progress(0, geometry.syncSize()),
            failure = null,
            stopped = false,
            events = 0,
            lastError = null,
        )
        val roster = Roster(seats.take(members.size), seats.drop(members.size))
        RaidArray.Start(geometry, blockSize(all), state, roster, observers, bitmap?.let { fresh(it, first.clean()) })
    }

    /** Nothing agrees yet unless the members are full of zeroes. */
    private fun fresh(header: BitmapHeader, clean: Boolean): StartBitmap {
        val bits = BitSet(header.chunks())
        if (!clean) bits.set(0, header.chunks())
        return StartBitmap(header, bits, needed = !clean)
    }

    private inline fun <T> checked(spec: CreateSpec, action: () -> T): T = try {
        action()
    } catch (e: IllegalArgumentException) {
        throw ArrayException.BadGeometry("cannot create ${spec.name}", e.message.orEmpty(), "change what is asked for")
    }
}

/** The unit of transfers that suits all devices. */
internal fun blockSize(
    devices: List<AsyncBlockDevice>,
): Int = maxOf(512, devices.maxOf { it.info().logicalBlockSize() })
