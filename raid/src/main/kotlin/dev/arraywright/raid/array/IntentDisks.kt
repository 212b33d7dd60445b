package dev.arraywright.raid.array

import dev.arraywright.raid.array.intent.IntentBlock
import dev.arraywright.raid.array.intent.IntentStore
import dev.arraywright.raid.array.io.MemberCall
import dev.arraywright.raid.array.io.callAll
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.SuperblockDescriptor
import java.util.BitSet

/**
 * The bitmap's place on the members. A member that cannot take it is failed like one that cannot take data; one that
 * comes while blocks are being written gets them too.
 */
internal class IntentDisks(private val supervisor: ArraySupervisor) : IntentStore {
    override val complete: Boolean
        get() = supervisor.state.value.let { it.missing == 0 && it.failure == null && !it.stopped }

    override suspend fun write(blocks: List<IntentBlock>) {
        supervisor.viewToWrite()
        val done = HashSet<Seat>()
        while (true) {
            val seats = supervisor.roster.let { it.slots + it.replacements }.filterNotNull()
                .filter { seat -> done.none { it.member === seat.member } }
            if (seats.isEmpty()) break
            done += seats
            put(seats, blocks)
        }
        // Whoever went meanwhile, however it went, is recorded as gone once the supervisor is free.
        supervisor.change { }
        supervisor.viewToWrite()
    }

    override suspend fun flush() {
        supervisor.flush()
    }

    private suspend fun put(seats: List<Seat>, blocks: List<IntentBlock>) {
        val calls = seats.mapIndexed { i, seat ->
            val start = SuperblockDescriptor.SUPERBLOCK_OFFSET + seat.superblock.bitmapOffset()
            MemberCall(i, seat.member) { member ->
                for (block in blocks) member.writeMetadata(supervisor.buffers, block.bytes, start + block.offset)
                member.flush()
            }
        }
        for ((i, failure) in callAll(calls)) supervisor.fail(calls[i].member, failure)
    }
}

/** The bitmap that an array starts with; [needed] says whether a resync or re-add has to go over what is set. */
internal class StartBitmap(val header: BitmapHeader, val bits: BitSet, val needed: Boolean)
