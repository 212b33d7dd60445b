package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.ByteSize
import kotlinx.coroutines.flow.first
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/** How fast an idle array is rebuilt, beside what the device that is filled takes by itself. */
internal class RebuildSpeed(private val options: Options) {
    private val size = options.size("size", "1GiB")
    private val raw = Series()
    private val rebuilt = Series()
    private val ratio = Series()

    suspend fun run() {
        options.requireKnown()
        println("rebuild-speed: ${options.describe()}, ${ByteSize.format(size)} each, no clients")
        Shelf.with(options, options.members + 1, size) { shelf ->
            val rig = Rig(options, shelf)
            for (round in 0..options.rounds) measured { round(round, rig, shelf) }
        }
        println("each: the rounds' median [least most]")
        println("raw sequential writes to the replacement   ${raw.show(1)} MB/s")
        println("rebuild onto it                            ${rebuilt.show(1)} MB/s")
        println("rebuild/raw                                ${ratio.show(2)}   wanted: 0.8 at least")
    }

    /** Either is first every other time; round 0 is for the JVM to warm up. */
    private suspend fun round(round: Int, rig: Rig, shelf: Shelf) {
        val array = rig.create()
        val replacement = shelf.devices.last()
        val component = array.geometry.componentSize()
        suspend fun write() = writeThrough(replacement, size - component, size) / 1e6

        val before = if (round % 2 == 0) write() else null
        array.degrade(shelf.devices[round % options.members])
        val began = TimeSource.Monotonic.markNow()
        array.beginRebuild(replacement)
        val end = array.repair.rebuild.first { it!!.phase.terminal }!!
        val rate = component / began.elapsedNow().toDouble(DurationUnit.SECONDS) / 1e6
        check(end.phase == RebuildPhase.COMPLETE) { "the rebuild ended as ${end.phase}: ${end.error}" }
        array.stop()
        val alone = before ?: write()
        if (round == 0) return
        raw += alone
        rebuilt += rate
        ratio += rate / alone
    }
}
