package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapException.Reason
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.simulation.SeededDispatcher
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.util.BitSet
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

/**
 * A mirror of three under random writes, failures, returns and power cuts, with a [WriteIntent] in its middle. What a
 * chunk holds is the number of the write. After every change of anything on a disk it is asked whether the
 * power could be cut now, see [verify].
 */
internal class IntentStory(seed: Long) : IntentStore {
    private val random = Random(seed)
    private val superblock = superblock()
    private val disks = List(DISKS) { StoryDisk(DISKS, CHUNKS.size) }
    private val latest = IntArray(CHUNKS.size)
    private var versions = 0
    private var intent = begin(BitSet(), 7, 7, needed = false)

    /** Chunks by how many are between enter and leave. */
    private var inside = IntArray(CHUNKS.size)
    private var locks = List(CHUNKS.size) { Mutex() }

    /** The supervisor: who has it may change who is in the array. */
    private var supervisor = Mutex()
    private var events = 7L
    private var steps = 0

    var writes = 0
        private set
    var readded = 0
        private set
    var stale = 0
        private set
    var cleared = 0
        private set

    override val complete: Boolean get() = disks.all { it.seat == Seat.IN_SYNC }

    fun run() {
        for (disk in disks) disk.events = events
        val blocks = ArrayList<IntentBlock>()
        intent.seeding(blocks::addAll)
        for (disk in disks) blocks.forEach { disk.area.put(it.offset.toInt(), it.bytes) }
        repeat(LIVES) {
            live()
            reload()
        }
    }

    private fun live() {
        val dispatcher = SeededDispatcher(random)
        var wrong: Throwable? = null
        val scope = CoroutineScope(dispatcher + Job() + CoroutineExceptionHandler { _, e -> wrong = wrong ?: e })
        val writers =
            List(WRITERS) { scope.launch { repeat(random.nextInt(60)) { write(random.nextInt(CHUNKS.size)) } } }
        scope.launch { forever(12) { intent.tick() } }
        scope.launch { forever(25) { flush() } }
        scope.launch { forever(20) { supervisor.withLock { record() } } }
        scope.launch { forever(60) { trouble() } }
        val cut = steps + random.nextInt(6000)
        dispatcher.runUntil(1.hours) { wrong != null || steps++ > cut || writers.all { it.isCompleted } }
        // The power goes: what was under way stays where it is, for nobody runs the dispatcher any more.
        scope.cancel()
        wrong?.let { throw it }
    }

    private suspend fun forever(milliseconds: Long, action: suspend () -> Unit) {
        while (true) {
            delay(random.nextLong(1, 2 * milliseconds))
            action()
        }
    }

    private suspend fun write(index: Int) {
        delay(random.nextLong(8))
        val impatient = random.nextInt(8) == 0
        coroutineScope {
            val job = launch { enterAndWrite(index) }
            if (impatient)
                launch {
                    delay(random.nextLong(3))
                }.invokeOnCompletion { if (inside[index] == 0) job.cancel() }
        }
    }

    private suspend fun enterAndWrite(index: Int) {
        val at = CHUNKS[index].toLong() * CHUNK
        intent.enter(at, at + CHUNK)
        inside[index]++
        var everywhere = false
        try {
            verify()
            everywhere = withContext(NonCancellable) {
                locks[index].withLock { writeTo(disks.filter { it.takes }, index) }
            }
        } finally {
            inside[index]--
            intent.leave(at, at + CHUNK, everywhere)
        }
    }

    private suspend fun writeTo(targets: List<StoryDisk>, index: Int): Boolean {
        val version = ++versions
        latest[index] = version
        val failed = ArrayList<StoryDisk>()
        coroutineScope {
            for (disk in targets) {
                launch {
                    delay(random.nextLong(3))
                    if (!disk.takes || random.nextInt(400) == 0) failed += disk
                    if (!disk.takes) return@launch
                    disk.cache[index] = version
                    if (random.nextBoolean()) settle(disk, index)
                }
            }
        }
        for (disk in failed) supervisor.withLock { fail(disk) }
        return targets.size == DISKS && failed.isEmpty()
    }

    override suspend fun write(blocks: List<IntentBlock>) {
        writes++
        coroutineScope {
            for (disk in disks.filter { it.takes }) {
                launch {
                    val parts = blocks.flatMap { b ->
                        (0..<b.bytes.size / BLOCK).map { b.offset.toInt() + it * BLOCK to b }
                    }
                    for ((at, block) in parts.shuffled(random)) {
                        delay(random.nextLong(3))
                        val from = at - block.offset.toInt()
                        put(disk, at, block.bytes.copyOfRange(from, from + BLOCK))
                    }
                    if (random.nextInt(100) == 0) supervisor.withLock { fail(disk) }
                }
            }
        }
        // Whoever failed before or meanwhile is recorded as such once the supervisor is free.
        if (disks.any { !it.takes }) supervisor.withLock { }
        if (disks.none { it.takes }) throw DeviceGoneException("md0", "all are gone", null)
    }

    override suspend fun flush() {
        coroutineScope {
            for (disk in disks.filter { it.takes }) launch { flush(disk) }
        }
    }

    private suspend fun flush(disk: StoryDisk) {
        delay(random.nextLong(3))
        if (!disk.takes) return
        for (i in CHUNKS.indices) if (disk.medium[i] != disk.cache[i]) settle(disk, i)
    }

    private fun settle(disk: StoryDisk, index: Int) {
        disk.medium[index] = disk.cache[index]
        verify()
    }

    private fun put(disk: StoryDisk, at: Int, bytes: ByteArray) {
        disk.area.put(at, bytes)
        verify()
    }

    /** Only in the supervisor: the next events into bitmaps and superblocks. */
    private suspend fun record() {
        val seats = disks.map { it.seat }
        events++
        intent.recording(events) { block ->
            coroutineScope {
                for (disk in disks.filter { it.takes }) {
                    launch {
                        delay(random.nextLong(4))
                        put(disk, 0, block.bytes)
                        delay(random.nextLong(2))
                        disk.events = events
                        disk.seats = seats
                        verify()
                    }
                }
            }
        }
    }

    private suspend fun fail(disk: StoryDisk) {
        val others = disks.filter { it !== disk && it.seat == Seat.IN_SYNC }
        if (!disk.takes || others.isEmpty()) return
        disk.seat = Seat.AWAY
        disk.seeded = false
        intent.needAll()
        record()
    }

    private suspend fun trouble() {
        val disk = disks[random.nextInt(DISKS)]
        if (disk.takes) return supervisor.withLock { fail(disk) }
        val byBitmap = supervisor.withLock { join(disk) }
        val todo = CHUNKS.indices.filter { i ->
            !byBitmap || CHUNKS[i].toLong().let { intent.needed(it * CHUNK, (it + 1) * CHUNK) }
        }
        for (i in todo) {
            locks[i].withLock {
                delay(random.nextLong(2))
                if (disk.takes) disk.cache[i] = latest[i]
            }
        }
        flush(disk)
        supervisor.withLock {
            if (!disk.takes) return
            disk.seat = Seat.IN_SYNC
            if (complete) intent.resynced(0, SYNC_SIZE)
            record()
        }
    }

    /** True if it left late enough for the bitmap to tell what it lacks. */
    private suspend fun join(disk: StoryDisk): Boolean {
        val byBitmap = disk.events >= intent.eventsCleared && disk.seats[disks.indexOf(disk)] != Seat.COPYING
        if (byBitmap) readded++
        for (i in CHUNKS.indices) disk.cache[i] = disk.medium[i]
        disk.seat = if (byBitmap) Seat.RECOVERING else Seat.COPYING
        intent.needAll()
        intent.seeding { blocks ->
            for (block in blocks) {
                delay(random.nextLong(3))
                put(disk, block.offset.toInt(), block.bytes)
            }
        }
        disk.seeded = true
        record()
        return byBitmap
    }

    /** What the bitmap of a most current disk does not call dirty agrees on all that are not known to lack more. */
    private fun verify() {
        for (i in CHUNKS.indices) {
            if (inside[i] > 0)
                check(disks.all { !it.seeded || bit(it, i) }) { "chunk ${CHUNKS[i]} is written to without its bit" }
        }
        val most = disks.maxOf { it.events }
        for (source in disks.filter { it.events == most }) {
            val read = read(source) ?: continue
            val alike = disks.filterIndexed { i, disk -> agrees(source.seats[i], disk, read.header) }
            for (i in CHUNKS.indices) {
                if (!read.dirty[CHUNKS[i]]) {
                    val seen = alike.map { it.medium[i] }
                    check(seen.toSet().size <= 1) { "chunk ${CHUNKS[i]} is clean and has $seen; ${tell(i)}" }
                }
            }
        }
    }

    private fun tell(i: Int) = disks.joinToString(
        "; ",
        "${inside[i]} inside, complete from ${intent.eventsCleared}: ",
    ) {
        "${it.seat} at ${it.events} says ${it.seats}, bit ${bit(it, i)}, seeded ${it.seeded}, has ${it.medium[i]}"
    }

    private fun agrees(seat: Seat, disk: StoryDisk, header: BitmapHeader): Boolean = when (seat) {
        Seat.IN_SYNC -> true
        Seat.COPYING -> false
        else -> disk.events >= header.eventsCleared() && disk.seats[disks.indexOf(disk)] != Seat.COPYING
    }

    private fun bit(disk: StoryDisk, i: Int) = disk.area.get(256 + CHUNKS[i] / 8).toInt() shr CHUNKS[i] % 8 and 1 == 1

    private fun read(disk: StoryDisk): BitmapRead.Usable? =
        when (val read = BitmapReader.read(disk.area, superblock.withEvents(disk.events), BLOCK)) {
            is BitmapRead.Usable -> read
            is BitmapRead.Unusable -> null.also { check(read.reason == Reason.STALE) { read.why } }
        }

    /** What the next start makes of the disks, with a resync of what is dirty. */
    private fun reload() {
        val source = disks.maxBy { it.events }
        val usable = read(source)
        if (usable == null) stale++
        val everything = BitSet().apply { set(0, superblock.size().toInt() / CHUNK) }
        val dirty = usable?.dirty ?: everything
        cleared += CHUNKS.count { !dirty[it] }
        events = maxOf(source.events, usable?.header?.events() ?: 0) + 1
        val seats = source.seats
        val first = disks[seats.indexOf(Seat.IN_SYNC)]
        for ((disk, seat) in disks.zip(seats)) {
            disk.seat = if (seat == Seat.IN_SYNC) seat else Seat.AWAY
            disk.seeded = false
            if (seat == Seat.IN_SYNC)
                for (i in CHUNKS.indices) if (dirty[CHUNKS[i]]) disk.medium[i] = first.medium[i]
            disk.medium.copyInto(disk.cache)
        }
        first.medium.copyInto(latest)
        inside = IntArray(CHUNKS.size)
        locks = List(CHUNKS.size) { Mutex() }
        supervisor = Mutex()
        val header = usable?.header
        intent = begin(dirty, events, header?.eventsCleared() ?: events, needed = true)
        if (complete) intent.resynced(0, SYNC_SIZE)
        for (disk in disks) disk.seeded = false
        intent.seeding { blocks ->
            for (disk in disks.filter { it.takes }) {
                for (block in blocks) disk.area.put(block.offset.toInt(), block.bytes)
                disk.seeded = true
                disk.events = events
                disk.seats = disks.map { it.seat }
            }
        }
        verify()
    }

    private fun begin(dirty: BitSet, events: Long, cleared: Long, needed: Boolean): WriteIntent {
        val header = BitmapHeader.of(superblock.setUuid(), events, SYNC_SIZE, CHUNK).withEventsCleared(cleared)
        return WriteIntent(header, dirty, needed, BLOCK, this)
    }

    private companion object {
        const val DISKS = 3
        const val WRITERS = 5
        const val LIVES = 3
        const val BLOCK = 512

        /** On both sides of the border between the two blocks. */
        val CHUNKS = listOf(0, 1, 2, 9, 500, 1000, 2040, 2046, 2047, 2048, 2049, 2060, 3000, 4000, 4998, 4999)
    }
}
