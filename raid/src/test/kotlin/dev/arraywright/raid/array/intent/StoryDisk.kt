package dev.arraywright.raid.array.intent

import java.nio.ByteBuffer

internal enum class Seat { IN_SYNC, RECOVERING, COPYING, AWAY }

/**
 * A member in an [IntentStory]: what its cache and its medium have of each chunk, its bitmap's area, and its
 * superblock, which says [events] and [seats]. The rest is not on it: [seat] is what the array takes it for.
 */
internal class StoryDisk(disks: Int, chunks: Int) {
    val area: ByteBuffer = ByteBuffer.allocate(1024)
    val cache = IntArray(chunks)
    val medium = IntArray(chunks)
    var events = 0L
    var seats = List(disks) { Seat.IN_SYNC }
    var seat = Seat.IN_SYNC

    /** Whether it takes bits and has all of them. */
    var seeded = true
    val takes get() = seat != Seat.AWAY
}
