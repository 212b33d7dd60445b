package dev.arraywright.samples.benchmarks

import dev.arraywright.samples.benchmarks.driver.Drivers
import dev.arraywright.samples.benchmarks.machine.Discovery
import dev.arraywright.samples.benchmarks.machine.Idle
import kotlinx.coroutines.runBlocking
import kotlin.system.exitProcess

private val usage = """
    usage: run rebuild-latency|rebuild-speed|bitmap-cost|resync|discovery|idle|drivers [key=value ...]
    of arrays:        devices=model|files|loops|memory rate=200MB seek=100us lanes=4 dir=/tmp direct=true
                      level=raid6 members=6 chunk=512KiB rounds=5 seed=1
    rebuild-latency:  size=4GiB (256MiB unless modelled) queue=4 time=6s priorities=50,10,90 pause=1ms
    rebuild-speed:    size=1GiB (the same)
    bitmap-cost:      size=1GiB (the same) time=6s queues=1,16 bitmap-chunk=auto
    resync:           array=1GiB dirty=1 (%) bitmap-chunk=256KiB
    discovery:        devices=1000 rounds=7 changes=500 dir=/tmp
    idle:             seconds=60 settle=60 rounds=1
    drivers:          classes=26000 rounds=5 loads=20 drivers=100 upgrades=10 queue=4 dir=/tmp
""".trimIndent()

/** Runs the benchmark that is named first with the options after it. */
public fun main(arguments: Array<String>) {
    val benchmark = try {
        chosen(arguments.firstOrNull(), arguments.drop(1))
    } catch (wrong: IllegalArgumentException) {
        System.err.println("${wrong.message}\n$usage")
        exitProcess(2)
    }
    runBlocking { benchmark() }
    exitProcess(0)
}

private fun chosen(name: String?, arguments: List<String>): suspend () -> Unit =
    when (name) {
        "discovery" -> of(KeyValues(arguments)) { Discovery(it)::run }
        "idle" -> of(KeyValues(arguments)) { Idle(it)::run }
        "drivers" -> of(KeyValues(arguments)) { Drivers(it)::run }
        else -> of(Options(arguments)) { ofArrays(name, it) }
    }

private fun ofArrays(name: String?, options: Options): suspend () -> Unit = when (name) {
    "rebuild-latency" -> RebuildLatency(options)::run
    "rebuild-speed" -> RebuildSpeed(options)::run
    "bitmap-cost" -> BitmapCost(options)::run
    "resync" -> Resync(options)::run
    else -> throw IllegalArgumentException(if (name == null) "which one?" else "there is no benchmark '$name'")
}

private inline fun <O : KeyValues> of(options: O, make: (O) -> suspend () -> Unit): suspend () -> Unit =
    make(options).also { options.requireKnown() }
