package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.ByteSize
import kotlinx.coroutines.flow.first
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/** How fast an idle array is rebuilt, beside what the device that is filled takes by itself. */
internal class RebuildSpeed(private val options: Options) {
    private val size = options.deviceSize("1GiB", "256MiB")
    private val raw = Series()
    private val rebuilt = Series()
    private val ratio = Series()
    private val shared = Series()
    private val sharedRatio = Series()

    suspend fun run() {
        println("rebuild-speed: ${options.describe()}, ${ByteSize.format(size)} each, no clients")
        Shelf.with(options, options.members + 1, size) { shelf ->
            val rig = Rig(options, shelf)
            for (round in 0..options.rounds) measured { round(round, rig, shelf) }
        }
        println("each: the rounds' median [least most]")
        val head = listOf("", "MB/s", "rebuild/this")
        val alone = listOf("raw sequential writes to the replacement", raw.show(1), ratio.show(2))
        val together = listOf("the same while all others are read as fast", shared.show(1), sharedRatio.show(2))
        printTable(listOf(head, alone, together, listOf("rebuild onto the replacement", rebuilt.show(1), "")))
        println("wanted: 0.8 at least of the first; where all share one disk or processor, the second is what there is")
    }

    /** The raw ones are first every other time; round 0 is for the JVM to warm up. */
    private suspend fun round(round: Int, rig: Rig, shelf: Shelf) {
        val array = rig.create()
        val replacement = shelf.devices.last()
        val failed = shelf.devices[round % options.members]
        val component = array.geometry.componentSize()
        array.degrade(failed)
        val others = shelf.devices - replacement - failed

        suspend fun rawly() = listOf(emptyList(), others).map {
            copyThrough(it, replacement, size - component, size) / 1e6
        }

        val before = if (round % 2 == 0) rawly() else null
        val began = TimeSource.Monotonic.markNow()
        array.beginRebuild(replacement)
        val end = array.repair.rebuild.first { it!!.phase.terminal }!!
        val rate = component / began.elapsedNow().toDouble(DurationUnit.SECONDS) / 1e6
        check(end.phase == RebuildPhase.COMPLETE) { "the rebuild ended as ${end.phase}: ${end.error}" }
        array.stop()
        val (alone, together) = before ?: rawly()
        if (round == 0) return
        raw += alone
        shared += together
        rebuilt += rate
        ratio += rate / alone
        sharedRatio += rate / together
    }
}
