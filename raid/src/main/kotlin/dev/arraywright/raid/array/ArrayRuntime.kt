package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.array.io.PooledBuffers
import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.raid.codec.Parity
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.memory.BufferAllocator
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * What arrays run on; they have no thread, clock, randomness or memory but these.
 *
 * @property context where arrays run: a dispatcher that may not be blocked, and a parent job if they are to end with it
 * @property clock the time written into superblocks
 * @property random the source of UUIDs, used by one array operation at a time
 * @property time what latencies and rates are measured by
 * @property buffers direct buffers for transfers; while the pool is empty, plain ones are allocated instead
 * @property cache what clients have read lately, of this and other arrays; null for none
 */
public class ArrayRuntime(
    public val context: CoroutineContext,
    public val clock: Clock = Clock.System,
    public val random: Random = Random.Default,
    public val parity: Parity = Parity.best(),
    public val policy: ArrayPolicy = ArrayPolicy(),
    public val buffers: BufferAllocator = PooledBuffers(DEFAULT_POOL),
    public val time: TimeSource.WithComparableMarks = TimeSource.Monotonic,
    public val cache: ReadCache? = null,
) {
    private companion object {
        const val DEFAULT_POOL = 64L shl 20
    }
}

/**
 * Limits and delays of an array.
 *
 * @property memberDeadline how long a member may take for one call, above the device's own deadline; past it the
 *   buffer of the call is left to the device for good
 * @property safeModeDelay idle time after which an array is marked clean (md's safe_mode_delay)
 * @property stripesInFlight stripes of client requests worked on at once
 * @property bytesInFlight bytes of buffers these may use; lowers [stripesInFlight] where stripes are large
 * @property sweepWindow stripes that a resync or rebuild works on at once
 * @property checkpointBytes how much of each member a resync or rebuild does between two records of its progress
 * @property readTimeouts how many deadlines in a row a member may miss on reads before it is failed
 * @property bitmapDelay time between two looks at what the write-intent bitmap may forget; a bit unused for a whole
 *   turn is cleared in the next
 * @property stopDeadline how long a stop waits for requests in flight
 */
public data class ArrayPolicy(
    public val memberDeadline: Duration = 30.seconds,
    public val safeModeDelay: Duration = 200.milliseconds,
    public val stripesInFlight: Int = 64,
    public val bytesInFlight: Long = 64L shl 20,
    public val sweepWindow: Int = 8,
    public val checkpointBytes: Long = 64L shl 20,
    public val readTimeouts: Int = 3,
    public val bitmapDelay: Duration = 5.seconds,
    public val stopDeadline: Duration = 60.seconds,
) {
    init {
        require(stripesInFlight > 0 && sweepWindow > 0 && readTimeouts > 0) { "limits are positive: $this" }
        require(bytesInFlight > 0 && checkpointBytes > 0) { "sizes are positive: $this" }
        require(memberDeadline.isPositive() && stopDeadline.isPositive() && bitmapDelay.isPositive()) {
            "deadlines are positive: $this"
        }
        require(!safeModeDelay.isNegative()) { "a delay is not negative: $this" }
    }
}

/** A device as a member of an array that runs here. */
internal fun ArrayRuntime.member(device: AsyncBlockDevice, dataOffset: Long, observer: ArrayObserver): Member =
    Member(device, dataOffset, policy.memberDeadline, time, observer)
