package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.array.RaidArray
import dev.arraywright.samples.benchmarks.device.Counted
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.ByteSize
import kotlinx.coroutines.flow.first
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/** How much a resync reads after a crash, with and without a bitmap. */
internal class Resync(private val options: Options) {
    private val size = options.size("array", "1GiB")
    private val chunk = Math.toIntExact(options.size("bitmap-chunk", "256KiB"))
    private val dirty = options.text("dirty", "1").toDouble() / 100
    private val all = Result()
    private val some = Result()
    private val ratio = Series()

    suspend fun run() {
        println("resync: ${options.describe()}, array of ${ByteSize.format(size)}, ${"%.1f".form(dirty * 100)} % dirty")
        val data = options.members - options.level.parities()
        val unit = options.chunk.toLong()
        // Superblock and bitmap come before the data.
        val component = Math.ceilDiv(size, data * unit) * unit + (8L shl 20)
        Shelf.with(options, options.members, component) { shelf ->
            for (round in 1..options.rounds) measured { round(round, shelf) }
        }
        println(
            "each: the rounds' median [least most]; a bit stands for ${ByteSize.format(chunk.toLong())} of each member",
        )
        val head = listOf("", "read MB", "of the members' bytes", "seconds")
        printTable(listOf(head, all.row("without bitmap"), some.row("with bitmap")))
        println("read with/without: ${ratio.show(4)}")
    }

    private suspend fun round(round: Int, shelf: Shelf) {
        val without = crashed(round, shelf, null).also(all::add)
        val with = crashed(round, shelf, chunk).also(some::add)
        ratio += with.first.toDouble() / without.first
    }

    /** Bytes that the resync read, of how many, and its seconds. */
    private suspend fun crashed(round: Int, shelf: Shelf, bitmap: Int?): Triple<Long, Long, Double> {
        val before = Rig(options, shelf)
        val array = before.create(bitmapChunk = bitmap)
        dirty(array, Random(options.seed * 1000L + round))
        before.crash()
        val counted = shelf.devices.map(::Counted)
        val began = TimeSource.Monotonic.markNow()
        val again = Rig(options, shelf).arrays.assemble(counted)
        again.state.first { it.resync == null }
        val seconds = began.elapsedNow().toDouble(DurationUnit.SECONDS)
        val bytes = again.geometry.componentSize() * options.members
        again.stop()
        return Triple(counted.sumOf { it.read.get() }, bytes, seconds)
    }

    /** One write to each of so many bits' chunks, at random places. */
    private suspend fun dirty(array: RaidArray, random: Random) {
        val perBit = chunk.toLong() * (options.members - options.level.parities())
        val bits = (0 until array.size / perBit).shuffled(
            random,
        ).take((array.size / perBit * dirty).toInt().coerceAtLeast(1))
        val page = ByteBuffer.wrap(random.nextBytes(PAGE))
        for (bit in bits) array.write(page, bit * perBit + random.nextLong(perBit / PAGE) * PAGE)
    }

    private class Result {
        private val read = Series()
        private val share = Series()
        private val seconds = Series()

        fun add(seen: Triple<Long, Long, Double>) {
            read += seen.first / 1e6
            share += seen.first.toDouble() / seen.second
            seconds += seen.third
        }

        fun row(name: String) = listOf(name, read.show(1), share.show(4), seconds.show(2))
    }
}
