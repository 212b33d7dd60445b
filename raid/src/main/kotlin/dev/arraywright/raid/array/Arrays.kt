package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.metadata.NewArray
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.withContext
import java.util.UUID
import kotlin.random.Random

/**
 * Makes and finds arrays. Devices stay the caller's; what fails before anything is written leaves them untouched, and
 * each [ArrayException] says which those are.
 */
public class Arrays(private val runtime: ArrayRuntime) {
    private val examination = Examination(runtime)

    /**
     * Makes an array of [members] in that order, which loses what was on them. Devices with recognisable content are
     * refused unless the spec says `force`.
     */
    public suspend fun create(
        spec: CreateSpec,
        members: List<AsyncBlockDevice>,
        spares: List<AsyncBlockDevice> = emptyList(),
    ): RaidArray = withContext(runtime.dispatcher()) { Creation(runtime, examination).create(spec, members, spares) }

    /** A device's superblock; [ArrayException.NoSuperblock] if it has none to act on. Writes nothing. */
    public suspend fun examine(device: AsyncBlockDevice): Superblock =
        withContext(runtime.dispatcher()) { examination.examine(device) }

    /**
     * Refuses a device that holds something to be recognised, such as a file system or a member of an array, but for the
     * array [own]. Writes nothing.
     */
    public suspend fun requireBlank(device: AsyncBlockDevice, own: UUID? = null): Unit =
        withContext(runtime.dispatcher()) { examination.requireBlank(device, own) }

    /** What [assemble] would make of the candidates; writes nothing. */
    public suspend fun plan(candidates: List<AsyncBlockDevice>, uuid: UUID? = null): AssemblyPlan =
        withContext(runtime.dispatcher()) { Assembly(runtime, examination).draft(candidates, uuid).plan }

    /**
     * Starts the array that the candidates belong to, the one with [uuid] or else the one with most of them. The
     * newest event count wins; who does not belong is left out and named in [RaidArray.report].
     *
     * @param force start although parity may be wrong and a member is missing; writes that were in flight at the crash
     *   may then have damaged other bytes of their stripes
     */
    public suspend fun assemble(
        candidates: List<AsyncBlockDevice>,
        force: Boolean = false,
        uuid: UUID? = null,
    ): RaidArray = withContext(runtime.dispatcher()) {
        Assembly(runtime, examination).assemble(candidates, uuid, force)
    }
}

/**
 * An array to be made.
 *
 * @property name up to 32 bytes in UTF-8, together with [homeHost] and a colon
 * @property chunk bytes, a power of two of at least 4096; of no meaning at RAID-1
 * @property homeHost the machine it belongs to, as mdadm's `--homehost`
 * @property assumeClean take redundancy as agreeing already: only true for members full of zeroes
 * @property force use devices that hold something
 * @property bitmapChunk bytes for which a bit of the write-intent bitmap stands, a power of two of at least 4096;
 *   [AUTO_BITMAP] for md's default, null for no bitmap
 */
public data class CreateSpec(
    public val name: String,
    public val level: RaidLevel,
    public val chunk: Int = 512 * 1024,
    public val homeHost: String? = null,
    public val assumeClean: Boolean = false,
    public val force: Boolean = false,
    public val bitmapChunk: Int? = null,
) {
    public companion object {
        /** As coarse as md makes it: 64 MiB, or more where so many bits have no room. */
        public const val AUTO_BITMAP: Int = NewArray.AUTO
    }
}

/** Who is in an array that was assembled, by device id, and who is not and why. */
public data class AssemblyReport(
    public val used: List<String>,
    public val spares: List<String>,
    public val missing: List<Int>,
    public val leftOut: List<LeftOut>,
)

/** A device that was not used. */
public data class LeftOut(public val deviceId: String, public val reason: Reason, public val why: String) {
    public enum class Reason { UNREADABLE, GARBAGE, FOREIGN, DUPLICATE, STALE, UNFIT }
}

/**
 * What assembling would do.
 *
 * @property obstacle why it would be refused; null if it would not
 */
public data class AssemblyPlan(
    public val uuid: UUID,
    public val name: String,
    public val state: ArrayState,
    public val report: AssemblyReport,
    public val obstacle: ArrayException?,
)

/** The runtime's dispatcher, without its job. */
internal fun ArrayRuntime.dispatcher() = context.minusKey(kotlinx.coroutines.Job)

internal fun ArrayRuntime.randomUuid(): UUID = random.nextUuid()

/** Version 4. */
private fun Random.nextUuid(): UUID =
    UUID(nextLong() and (0xfL shl 12).inv() or (4L shl 12), nextLong() and (-1L ushr 2) or Long.MIN_VALUE)
