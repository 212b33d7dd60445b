package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.util.BitSet

/**
 * Which chunks may differ between members, on stable storage before they do. Ranges are bytes in the measure of a
 * resync. Thread-safe.
 *
 * What holds, whenever the power goes:
 * - from when [enter] returns until [leave], the range's bits are set on stable storage of every member that takes
 *   writes. A bit is set in memory first, and whatever block is made afterwards has it. Rounds write one at a time.
 *   What others write ([recording], [seeding]) runs beside them and may land later, so a round first waits for those
 *   that began before its own blocks were made; those that began later have all of its bits. These others never wait
 *   for a round, so the array's supervisor may be one.
 * - a bit is cleared only after a flush that began when its chunk had been unused for a whole pass, every slot being
 *   in sync after the flush; and after a header is on stable storage that tells, by events_cleared, that the bitmap is
 *   no use to a member that left before.
 *
 * A bit that is set on some member though not here does no harm: it is cleared when its block is next written.
 *
 * The array has to read who takes writes after [enter], and to say [needAll] when a member fails or comes back.
 */
internal class WriteIntent(
    header: BitmapHeader,
    bits: BitSet,
    needed: Boolean,
    blockSize: Int,
    private val store: IntentStore,
) {
    private val memory = IntentMemory(header, bits, needed, blockSize)
    private val loans = Loans()
    private val rounds = Mutex()
    private val gate = Any()

    /** The round that is yet to begin, if anybody waits for it; whoever made it leads it. */
    private var gathering: CompletableDeferred<Unit>? = null

    /** Bytes that a bit stands for. */
    val chunk: Int = header.chunk()

    /** How many bits there are. */
    val chunks: Int = header.chunks()

    val dirtyChunks: Int get() = memory.dirtyChunks

    val neededChunks: Int get() = memory.neededChunks

    /** A member that left with fewer events than this has to be rebuilt as a whole. */
    val eventsCleared: Long get() = memory.header.eventsCleared()

    /**
     * Returns when the range may be written; [leave] has to follow. If it throws, nothing was entered.
     *
     * @throws DeviceIoException if the array has failed or stopped
     */
    suspend fun enter(from: Long, until: Long) {
        val range = memory.chunks(from, until)
        if (memory.enter(range)) return
        try {
            join()
        } catch (e: Throwable) {
            memory.leave(range, everywhere = true)
            throw e
        }
    }

    /** The write ended. Not [everywhere]: a slot had no member to take it, or it failed. */
    fun leave(from: Long, until: Long, everywhere: Boolean) {
        memory.leave(memory.chunks(from, until), everywhere)
    }

    /** True if members may differ in the range. */
    fun dirty(from: Long, until: Long): Boolean = memory.isDirty(memory.chunks(from, until))

    /** True if a resync or the rebuild of a member that came back has to go over the range. */
    fun needed(from: Long, until: Long): Boolean = memory.isNeeded(memory.chunks(from, until))

    /**
     * All that is dirty is needed. For when a member fails: it may lack what it has acknowledged and not flushed; and
     * when one comes back and takes writes again: there may be writes under way that began without it.
     */
    fun needAll() {
        memory.needAll()
    }

    /**
     * The range agrees on all members. Pieces of a chunk add up if they follow each other. Not while a slot has no
     * member: that one lacks it still. So this is for the supervisor to say, which knows.
     */
    fun resynced(from: Long, until: Long) {
        memory.resynced(from, until)
    }

    /**
     * A pass: clears what was unused during all of the last one.
     *
     * @throws DeviceIoException if the array has failed or stopped
     */
    suspend fun tick() {
        val unused = if (store.complete) memory.pass() else BitSet()
        if (!unused.isEmpty)
            store.flush()
        else if (!memory.changed)
            return
        withContext(NonCancellable) {
            rounds.withLock {
                if (store.complete && memory.raiseEventsCleared(unused)) write()
                if (store.complete) memory.clear(unused)
                if (write()) write()
            }
        }
    }

    /**
     * Has [write] put the first block, with the new [events], beside the superblocks of all members that have one:
     * each after its block, lest the bitmap be stale. The block is not to be written any more when [write] returns.
     */
    inline fun <T> recording(events: Long, write: (IntentBlock) -> T): T = lend({ memory.first(events) }, write)

    /**
     * Has [write] put header and all bits on a newcomer. It takes writes already, [IntentStore.write] included, and
     * its superblock follows. The blocks are not to be written any more when [write] returns.
     */
    inline fun <T> seeding(write: (List<IntentBlock>) -> T): T = lend({ memory.all() }, write)

    private inline fun <B, T> lend(make: () -> B, write: (B) -> T): T = loans.lend(make, write)

    private suspend fun join() {
        var leads = false
        val round = synchronized(gate) {
            gathering ?: CompletableDeferred<Unit>().also {
                gathering = it
                leads = true
            }
        }
        // The others count on the leader, cancelled or not; and what is being written cannot be called back.
        if (leads) withContext(NonCancellable) { lead(round) }
        round.await()
    }

    private suspend fun lead(round: CompletableDeferred<Unit>) {
        rounds.withLock {
            synchronized(gate) { gathering = null }
            try {
                val late = write()
                round.complete(Unit)
                if (late) write()
            } catch (e: Throwable) {
                // Once the round is complete this is lost, and comes again with the next round.
                round.completeExceptionally(e)
            }
        }
    }

    /** Writes what changed; [rounds] is held. True if the header moved on meanwhile and has to be written again. */
    private suspend fun write(): Boolean {
        val image = memory.take() ?: return false
        try {
            loans.awaitOlder()
            store.write(image.blocks)
        } catch (e: Throwable) {
            memory.failed(image)
            throw e
        }
        return memory.written(image)
    }
}
