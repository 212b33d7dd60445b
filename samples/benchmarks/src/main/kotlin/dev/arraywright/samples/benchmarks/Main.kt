package dev.arraywright.samples.benchmarks

import kotlinx.coroutines.runBlocking
import kotlin.system.exitProcess

private val usage = """
    usage: run rebuild-latency|rebuild-speed|bitmap-cost|resync [key=value ...]
    all:              devices=model|files|loops|memory rate=200MB seek=100us lanes=4 dir=/tmp direct=true
                      level=raid6 members=6 chunk=512KiB rounds=5 seed=1
    rebuild-latency:  size=4GiB queue=4 time=6s priorities=50,10,90 pause=1ms
    rebuild-speed:    size=1GiB
    bitmap-cost:      size=1GiB time=6s queues=1,16 bitmap-chunk=auto
    resync:           array=1GiB dirty=1 (%) bitmap-chunk=256KiB
""".trimIndent()

/** Runs the benchmark that is named first with the options after it. */
public fun main(arguments: Array<String>) {
    try {
        val options = Options(arguments.drop(1))
        runBlocking {
            when (arguments.firstOrNull()) {
                "rebuild-latency" -> RebuildLatency(options).run()
                "rebuild-speed" -> RebuildSpeed(options).run()
                "bitmap-cost" -> BitmapCost(options).run()
                "resync" -> Resync(options).run()
                else -> throw IllegalArgumentException("no such benchmark")
            }
        }
    } catch (wrong: IllegalArgumentException) {
        System.err.println("${wrong.message}\n$usage")
        exitProcess(2)
    }
    exitProcess(0)
}
