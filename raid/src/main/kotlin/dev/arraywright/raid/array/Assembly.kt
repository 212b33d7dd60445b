package dev.arraywright.raid.array

import dev.arraywright.raid.array.LeftOut.Reason
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor.SUPERBLOCK_OFFSET
import dev.arraywright.raid.metadata.SuperblockException
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import java.util.UUID

/**
 * Finds out which candidates are an array. A member is current if its event count is the newest or one less, and the
 * newest superblock's roles have it where it says it is. One less is what a crash in the middle of writing superblocks
 * leaves (md takes it as well): nothing was acknowledged on the strength of an event count that a member in that table
 * does not have. A member that failed is faulty in the table before anything is acknowledged without it.
 */
internal class Assembly(private val runtime: ArrayRuntime, private val examination: Examination) {
    private val leftOut = ArrayList<LeftOut>()

    suspend fun assemble(candidates: List<AsyncBlockDevice>, uuid: UUID?, force: Boolean): RaidArray {
        val draft = draft(candidates, uuid)
        val obstacle = draft.plan.obstacle
        if (obstacle != null && !(force && obstacle is ArrayException.DirtyAndDegraded)) throw obstacle
        val array = RaidArray(runtime, draft.plan.uuid, draft.plan.name, draft.plan.report, draft.start!!).begin()
        val failure = array.state.value.failure ?: return array
        array.stop()
        throw ArrayException.DeviceFailed("cannot start ${draft.plan.name}", failure, "check the devices", null)
    }

    suspend fun draft(candidates: List<AsyncBlockDevice>, uuid: UUID?): Draft {
        val found = candidates.distinctBy { it.info().id() }.mapNotNull { read(it) }
        for (twice in candidates.groupBy { it.info().id() }.filter { it.value.size > 1 }.keys) {
            leave(twice, Reason.DUPLICATE, "it was named more than once")
        }
        val own = chosen(found, uuid)
        val working = own.filter { it.superblock.role() != Superblock.FAULTY }
        val newest = working.maxByOrNull { it.superblock.events() } ?: own[0]
        val current = own.filter { isCurrent(it, newest.superblock) }
        val unique = distinct(current)
        val problem = unsupported(newest.superblock, unique)
        val geometry = if (problem == null) geometry(newest.superblock, unique) else null
        if (geometry == null) throw problem ?: notEnough(newest.superblock, "no member of it is usable")
        val fit = unique.filter { isFit(it, geometry) }
        return seat(newest.superblock, geometry, fit)
    }

    private suspend fun read(device: AsyncBlockDevice): Found? {
        val id = device.info().id()
        return try {
            Found(device, examination.superblock(device))
        } catch (e: SuperblockException) {
            leave(id, Reason.GARBAGE, e.message.orEmpty())
        } catch (e: DeviceIoException) {
            leave(id, Reason.UNREADABLE, e.message.orEmpty())
        }
    }

    private fun chosen(found: List<Found>, uuid: UUID?): List<Found> {
        val arrays = found.groupBy { it.superblock.setUuid() }
        val most = arrays.values.maxOfOrNull { it.size } ?: 0
        val largest = arrays.filterValues { it.size == most }.keys
        if (uuid == null && largest.size > 1) {
            throw ArrayException.BadGeometry(
                "cannot choose an array",
                "the devices belong to several: ${arrays.values.joinToString { title(it[0].superblock) }}",
                "name its UUID, or the members of one array only",
            )
        }
        val chosen = uuid ?: largest.firstOrNull()
        for (other in found.filter { it.superblock.setUuid() != chosen }) {
            leave(other.id, Reason.FOREIGN, "it belongs to the array ${other.superblock.name()}")
        }
        return arrays[chosen] ?: throw ArrayException.NotEnoughMembers(
            "cannot assemble ${uuid?.let(Superblock::mdText) ?: "an array"}",
            "no device has a superblock of it${explain()}",
            "name its members",
        )
    }

    private fun title(superblock: Superblock) = "${superblock.name()} (${Superblock.mdText(superblock.setUuid())})"

    private fun isCurrent(found: Found, newest: Superblock): Boolean {
        val own = found.superblock
        val recorded = newest.role(own.devNumber())
        val why = when {
            shape(own) != shape(newest) -> "it describes the array differently"
            own.events() + 1 < newest.events() -> "it has event count ${own.events()}, the newest is ${newest.events()}"
            own.role() == Superblock.FAULTY || recorded == Superblock.FAULTY -> "it is recorded as failed"
            recorded != own.role() -> "it is recorded in another place than it says itself"
            else -> return true
        }
        leave(found.id, Reason.STALE, why)
        return false
    }

    private fun shape(superblock: Superblock): List<Any> = superblock.run {
        listOf(level(), layout(), raidDisks(), chunkSize(), size())
    }

    /** Of several in one place, or of one identity, the newest; copies of a member cannot be told apart otherwise. */
    private fun distinct(current: List<Found>): List<Found> {
        val taken = HashMap<Any, Found>()
        return current.sortedByDescending { it.superblock.events() }.filter { found ->
            val keys = listOf(found.superblock.deviceUuid(), found.superblock.devNumber())
            val other = keys.firstNotNullOfOrNull(taken::get)
            if (other != null)
                leave(found.id, Reason.DUPLICATE, "it is the same member as ${other.id}")
            else
                keys.forEach { taken[it] = found }
            other == null
        }
    }

    private fun unsupported(newest: Superblock, members: List<Found>): ArrayException? {
        val sizes = members.map { it.superblock.dataSize() / maxOf(newest.chunkSize(), 1) }.distinct()
        return when {
            newest.level() == RaidLevel.RAID0.md() && sizes.size > 1 -> ArrayException.Unsupported(
                "cannot assemble ${newest.name()}",
                "it is raid0 over members of unequal size, which has several zones",
                "use it under Linux md",
            )
            else -> null
        }
    }

    private fun geometry(newest: Superblock, members: List<Found>): Geometry? = try {
        val level = RaidLevel.ofMd(newest.level())
        val unit = maxOf(newest.chunkSize(), 512).toLong()
        val size = if (level == RaidLevel.RAID0)
            members.minOfOrNull {
                it.superblock.dataSize()
            } ?: 0
        else
            newest.size()
        if (members.isEmpty())
            null
        else
            Geometry(level, newest.layout(), newest.raidDisks(), newest.chunkSize(), size / unit * unit)
    } catch (e: IllegalArgumentException) {
        throw ArrayException.Unsupported(
            "cannot assemble ${newest.name()}",
            e.message.orEmpty(),
            "use it under Linux md",
        )
    }

    private fun isFit(found: Found, geometry: Geometry): Boolean {
        val info = found.device.info()
        val needed = found.superblock.dataOffset() + geometry.componentSize()
        val block = info.logicalBlockSize()
        val why = when {
            info.readOnly() -> "it is read-only"
            found.superblock.hasBitmap() && (SUPERBLOCK_OFFSET + found.superblock.bitmapOffset()) % block != 0L ->
                "its write-intent bitmap does not lie on a border of its blocks of $block bytes"
            info.size() < needed -> "it has ${info.size()} bytes, and its superblock speaks of $needed"
            block > Examination.LARGEST_BLOCK || (needed or geometry.componentSize()) % block != 0L ->
                "its logical blocks of $block bytes do not divide the array"
            else -> return true
        }
        leave(found.id, Reason.UNFIT, why)
        return false
    }

    private suspend fun seat(newest: Superblock, geometry: Geometry, members: List<Found>): Draft {
        val seating = Seating(runtime, newest, geometry, members)
        val block = blockSize(members.map { it.device })
        val intent = IntentReading(runtime, seating.whole(), block).read(newest, geometry, seating.missing > 0)
        val state = seating.state(resync(newest, geometry), intent != null && !intent.lost)
        val report = AssemblyReport(
            state.slots.flatMap { listOfNotNull(it.deviceId, it.replacement?.deviceId) },
            state.spares,
            state.slots.filter { it.deviceId == null }.map { it.slot },
            leftOut.toList(),
        )
        val plan = AssemblyPlan(newest.setUuid(), newest.name(), state, report, obstacle(newest, state))
        val start = RaidArray.Start(geometry, block, state, seating.roster(), seating.observers, intent?.start)
        return Draft(plan, start)
    }

    private fun resync(newest: Superblock, geometry: Geometry): Progress? =
        if (newest.clean() || !geometry.level().redundant())
            null
        else
            Progress(newest.resyncOffset(), geometry.syncSize())

    private fun obstacle(newest: Superblock, state: ArrayState): ArrayException? = when {
        !state.geometry.survives { state.slots[it].member == MemberState.InSync } -> notEnough(
            newest,
            "of ${state.slots.size} members ${state.missing} are missing, too many for ${state.geometry.level()}",
        )
        state.geometry.hasParity() && state.missing > 0 && state.resync != null -> ArrayException.DirtyAndDegraded(
            "cannot assemble ${newest.name()}",
            "it was not stopped cleanly, so parity may be wrong, and only from parity can the data be had of slots " +
                state.slots.filter { it.member != MemberState.InSync }.joinToString { "${it.slot}" } + explain(),
            "bring the missing members back, or use force and accept damage around the last writes",
        )
        else -> null
    }

    private fun notEnough(newest: Superblock, why: String) = ArrayException.NotEnoughMembers(
        "cannot assemble ${newest.name()}",
        why + explain(),
        "find the missing members",
    )

    private fun explain(): String =
        if (leftOut.isEmpty()) "" else " (left out: ${leftOut.joinToString { "${it.deviceId}, ${it.why}" }})"

    private fun leave(id: String, reason: Reason, why: String): Nothing? {
        leftOut += LeftOut(id, reason, why)
        return null
    }

    internal class Draft(val plan: AssemblyPlan, val start: RaidArray.Start?)
}

/** A candidate that has a superblock. */
internal class Found(val device: AsyncBlockDevice, val superblock: Superblock) {
    val id: String get() = device.info().id()
}
