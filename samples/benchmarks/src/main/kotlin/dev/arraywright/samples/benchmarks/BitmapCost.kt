package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.ByteSize
import kotlin.time.Duration

/** What the write-intent bitmap costs random writes. */
internal class BitmapCost(private val options: Options) {
    private val size = options.deviceSize("1GiB", "256MiB")
    private val time: Duration = options.duration("time", "6s")
    private val queues = options.ints("queues", "1,16")
    private val chunk = options.text("bitmap-chunk", "auto").let {
        if (it == "auto") CreateSpec.AUTO_BITMAP else bytes(it)
    }
    private val lines = queues.associateWith { Line() }
    private var chunks = ""

    suspend fun run() {
        println("bitmap-cost: ${options.describe()} of $time for each figure, ${ByteSize.format(size)} each")
        Shelf.with(options, options.members, size) { shelf ->
            val rig = Rig(options, shelf)
            for (round in 0..options.rounds) for (queue in queues) measured { round(round, queue, rig) }
        }
        println("4 KiB random writes, the same ones with and without; $chunks")
        println("each: the rounds' median [least most]")
        val head = listOf("", "writes/s without", "writes/s with", "with/without", "p99 with/without")
        printTable(listOf(head) + lines.map { (queue, line) -> line.row(queue) })
        println("aim: with/without above 0.9")
    }

    /** Either is first every other time; round 0 is for the JVM to warm up. */
    private suspend fun round(round: Int, queue: Int, rig: Rig) {
        val order = if (round % 2 == 0) listOf(null, chunk) else listOf(chunk, null)
        val seen = order.associateWith { writes(it, round, queue, rig) }
        if (round > 0) lines.getValue(queue).add(seen.getValue(null), seen.getValue(chunk))
    }

    private suspend fun writes(bitmapChunk: Int?, round: Int, queue: Int, rig: Rig): Latencies {
        val array = rig.create(bitmapChunk = bitmapChunk)
        val seen = load(array, queue, time, options.seed + round.toLong(), writes = true)
        array.bitmap?.let { chunks = "${it.chunks} bits, each for ${ByteSize.format(it.chunk)} of every member" }
        array.stop()
        return seen
    }

    private fun bytes(text: String) = Math.toIntExact(ByteSize.parse(text))

    private class Line {
        private val without = Series()
        private val with = Series()
        private val ratio = Series()
        private val tail = Series()

        fun add(alone: Latencies, mapped: Latencies) {
            without += alone.perSecond
            with += mapped.perSecond
            ratio += mapped.perSecond / alone.perSecond
            tail += mapped.quantile(0.99) / alone.quantile(0.99)
        }

        fun row(queue: Int) = listOf("queue depth $queue", without.show(), with.show(), ratio.show(2), tail.show(2))
    }
}
