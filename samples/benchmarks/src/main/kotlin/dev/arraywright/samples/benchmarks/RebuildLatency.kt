package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.pace.PaceLimits
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.ByteSize
import kotlin.time.Duration

/** How much slower random reads become by a rebuild. */
internal class RebuildLatency(private val options: Options) {
    private val size = options.deviceSize("4GiB", "256MiB")
    private val queue = options.int("queue", 4)
    private val time: Duration = options.duration("time", "6s")
    private val priorities = options.ints("priorities", "50,10,90")
    private val pause = options.duration("pause", "1ms")
    private val healthy = Case("healthy, idle")
    private val degraded = Case("degraded, idle")
    private val rebuilding = priorities.associateWith { Case("rebuild at $it") }

    suspend fun run() {
        println("rebuild-latency: ${options.describe()} of $time for each line")
        println("4 KiB random reads over the whole array of ${ByteSize.format(size)} members, queue depth $queue")
        Shelf.with(options, options.members + 1, size) { shelf ->
            val rig = Rig(options, shelf)
            // The first one is for the JVM to warm up.
            for (round in 0..options.rounds) measured { round(round, rig, shelf) }
        }
        report()
    }

    private suspend fun round(round: Int, rig: Rig, shelf: Shelf) {
        val array = rig.create()
        val replacement = shelf.devices.last()
        val counts = round > 0
        val seed = 100L * (options.seed + round)
        val calm = load(array, queue, time, seed)
        array.degrade(shelf.devices[round % options.members])
        val less = load(array, queue, time, seed + 1)
        if (counts) healthy.add(calm, calm, less)
        if (counts) degraded.add(less, calm, less)
        // Another one is first each time.
        for (i in priorities.indices) {
            val priority = priorities[(i + round) % priorities.size]
            array.paceLimits = PaceLimits(priority, pause = pause)
            val (seen, rate) = rebuild(array, replacement, seed + 2 + i)
            if (counts) rebuilding.getValue(priority).add(seen, calm, less, rate)
            array.callOffRebuild(replacement)
        }
        array.stop()
    }

    private suspend fun rebuild(array: RaidArray, device: AsyncBlockDevice, seed: Long): Pair<Latencies, Double> {
        array.beginRebuild(device)
        val status = array.repair.rebuild
        val before = status.value!!.progress.done
        val seen = load(array, queue, time, seed) { !status.value!!.phase.terminal }
        return seen to (status.value!!.progress.done - before) / seen.seconds / 1e6
    }

    private fun report() {
        val all = listOf(healthy, degraded) + rebuilding.toSortedMap().values
        val head = listOf("", "p50 us", "p99 us", "p99/healthy", "p99/degraded", "reads/s", "rebuild MB/s")
        println("each: the rounds' median [least most]")
        printTable(listOf(head) + all.map { it.row() })
        println("promise: at priority 50 p99/healthy is 2.0 at most")
        println("while degraded 1 of ${options.members} reads is of the missing member: it asks the others instead")
    }

    private class Case(private val name: String) {
        private val p50 = Series()
        private val p99 = Series()
        private val toHealthy = Series()
        private val toDegraded = Series()
        private val reads = Series()
        private val rates = Series()

        fun add(seen: Latencies, healthy: Latencies, degraded: Latencies, rate: Double? = null) {
            p50 += seen.quantile(0.5)
            p99 += seen.quantile(0.99)
            toHealthy += seen.quantile(0.99) / healthy.quantile(0.99)
            toDegraded += seen.quantile(0.99) / degraded.quantile(0.99)
            reads += seen.perSecond
            if (rate != null) rates += rate
        }

        fun row() =
            listOf(name, p50.show(), p99.show(), toHealthy.show(2), toDegraded.show(2), reads.show(), rates.show(1))
    }
}
