package dev.arraywright.samples.benchmarks

import kotlinx.coroutines.runBlocking
import kotlin.system.exitProcess

private val usage = """
    usage: run rebuild-latency|rebuild-speed|bitmap-cost|resync [key=value ...]
    all:              devices=model|files|loops|memory rate=200MB seek=100us lanes=4 dir=/tmp direct=true
                      level=raid6 members=6 chunk=512KiB rounds=5 seed=1
    rebuild-latency:  size=4GiB (256MiB unless modelled) queue=4 time=6s priorities=50,10,90 pause=1ms
    rebuild-speed:    size=1GiB (the same)
    bitmap-cost:      size=1GiB (the same) time=6s queues=1,16 bitmap-chunk=auto
    resync:           array=1GiB dirty=1 (%) bitmap-chunk=256KiB
""".trimIndent()

/** Runs the benchmark that is named first with the options after it. */
public fun main(arguments: Array<String>) {
    val benchmark = try {
        chosen(arguments.firstOrNull(), Options(arguments.drop(1)))
    } catch (wrong: IllegalArgumentException) {
        System.err.println("${wrong.message}\n$usage")
        exitProcess(2)
    }
    runBlocking { benchmark() }
    exitProcess(0)
}

private fun chosen(name: String?, options: Options): suspend () -> Unit {
    val benchmark: suspend () -> Unit = when (name) {
        "rebuild-latency" -> RebuildLatency(options)::run
        "rebuild-speed" -> RebuildSpeed(options)::run
        "bitmap-cost" -> BitmapCost(options)::run
        "resync" -> Resync(options)::run
        else -> throw IllegalArgumentException(if (name == null) "which one?" else "there is no benchmark '$name'")
    }
    options.requireKnown()
    return benchmark
}
