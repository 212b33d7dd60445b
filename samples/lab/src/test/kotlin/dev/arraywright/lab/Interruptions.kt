package dev.arraywright.lab

import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Bytes that a bit of a write-intent bitmap stands for, in all of the lab. */
internal const val BITMAP_CHUNK = 128 * 1024

/** Bits that [patch] sets: each of the places is in another chunk. */
internal const val PATCHED_CHUNKS = 3

/** Makes an array, fills it with the pattern, and stops it once there is nothing left to do. */
internal suspend fun Lab.make(exhibit: Exhibit, bitmap: Boolean): List<Path> {
    val members = blank(exhibit)
    withDevices(members) { devices ->
        val level = RaidLevel.ofMd(exhibit.level)
        val name = "array${exhibit.slice}"
        val chunk = BITMAP_CHUNK.takeIf { bitmap }
        val spec = CreateSpec(name, level, BITMAP_CHUNK / 2, homeHost = "lab", bitmapChunk = chunk)
        arrays.create(spec, devices.take(exhibit.members), devices.drop(exhibit.members)).stoppedAfter {
            it.fill(pattern)
            it.settled()
            it.tidied()
        }
    }
    return members
}

/** Until no bit of the bitmap is set. */
internal suspend fun RaidArray.tidied() {
    withTimeout(1.minutes) { while (bitmap.let { it != null && it.dirty > 0 }) delay(50.milliseconds) }
}

/** Writes 64 KiB at 1, 5 and 9 MiB, as `patch` in the guest does: what the pattern has 32 MiB further on. */
internal suspend fun RaidArray.patch(pattern: ByteArray) {
    for (at in PATCHES) write(ByteBuffer.wrap(pattern, at + PATCH_FROM, PATCH), at.toLong())
}

/** What an array of [size] bytes has then. */
internal fun patched(pattern: ByteArray, size: Long): ByteArray = pattern.copyOf(size.toInt()).also {
    for (at in PATCHES) pattern.copyInto(it, at, at + PATCH_FROM, at + PATCH_FROM + PATCH)
}

/** The array of these members, which ends with [work] as if the power went: nothing is stopped or marked clean. */
internal suspend fun Lab.cut(members: List<Path>, work: suspend (RaidArray, List<AsyncBlockDevice>) -> Unit) {
    withDevices(members) { devices ->
        val power = Job()
        try {
            work(Arrays(ArrayRuntime(Dispatchers.Default + power, policy = BUSY)).assemble(devices), devices)
        } finally {
            power.cancelAndJoin()
        }
    }
}

/** Cuts the power while [patch] is written over and over. */
internal suspend fun Lab.cutWhilePatched(members: List<Path>) = coroutineScope {
    val underway = CompletableDeferred<Unit>()
    cut(members) { array, _ ->
        launch(Dispatchers.Default) {
            try {
                while (true) {
                    array.patch(pattern)
                    underway.complete(Unit)
                }
            } catch (_: DeviceIoException) {
                // The power went.
            }
        }
        withTimeout(1.minutes) { underway.await() }
    }
}

/** As a write of the first patch that did not get everywhere: parity, or the second copy, is not what it should be. */
internal suspend fun Lab.tear(members: List<Path>) {
    withDevices(members) { arrays.plan(it).state.geometry to arrays.examine(it[0]).dataOffset() }
        .let { (geometry, dataOffset) ->
            val stripe = PATCHES[0].toLong() / geometry.stripeBytes()
            val slot = if (geometry.hasParity()) geometry.p(stripe) else geometry.copySlot(stripe, 1)
            val at = if (geometry.hasParity()) geometry.memberOffset(stripe) else geometry.copyOffset(stripe, 1)
            FileChannel.open(members[slot], WRITE).use { it.write(ByteBuffer.allocate(TORN), dataOffset + at) }
        }
}

/** How many places a scrub finds where redundancy does not agree. */
internal suspend fun RaidArray.mismatches(): Long {
    scrubs.start(ScrubMode.CHECK)
    val report = withTimeout(2.minutes) { scrubs.status.filterNotNull().first { it.phase.terminal } }
    report.phase shouldBe RebuildPhase.COMPLETE
    return report.mismatches
}

/** A member that remembers what was asked of it beyond its metadata; offsets count from the start of the data. */
internal class Watched(private val device: AsyncBlockDevice, private val dataOffset: Long) :
    AsyncBlockDevice by device {
    private val reads = ConcurrentLinkedQueue<LongRange>()
    private val writes = ConcurrentLinkedQueue<LongRange>()

    val bytesRead: Long get() = reads.sumOf { it.last + 1 - it.first }
    val bytesWritten: Long get() = writes.sumOf { it.last + 1 - it.first }

    /** Null if nothing was written. */
    val firstWritten: Long? get() = writes.minOfOrNull { it.first }

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        note(reads, offset, target.remaining().toLong())
        return device.read(target, offset)
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        note(writes, offset, source.remaining().toLong())
        return device.write(source, offset)
    }

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        note(writes, offset, length)
        return device.writeZeroes(offset, length)
    }

    private fun note(calls: ConcurrentLinkedQueue<LongRange>, offset: Long, length: Long) {
        if (offset >= dataOffset) calls += offset - dataOffset..<offset - dataOffset + length
    }
}

/** [Lab.withDevices] with everything watched. */
internal suspend fun <T> Lab.watching(members: List<Path>, work: suspend (List<Watched>) -> T): T =
    withDevices(members) { devices -> work(devices.map { Watched(it, arrays.examine(it).dataOffset()) }) }

private const val MIB = 1 shl 20
private val PATCHES = listOf(1 * MIB, 5 * MIB, 9 * MIB)
private const val PATCH_FROM = 32 * MIB
private const val PATCH = 64 * 1024
private const val TORN = 4096

/** Leaves what is dirty as it is, and records progress often. */
private val BUSY = ArrayPolicy(safeModeDelay = 1.hours, bitmapDelay = 1.hours, checkpointBytes = MIB.toLong())
