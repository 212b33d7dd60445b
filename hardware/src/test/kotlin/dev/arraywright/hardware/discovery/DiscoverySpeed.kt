package dev.arraywright.hardware.discovery

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import java.lang.management.ManagementFactory
import java.nio.file.Path
import kotlin.time.TimeSource
import kotlin.time.measureTime

/** Prints what a look at 1,000 block devices takes, in a JVM that has done nothing else, and one change of them. */
internal object DiscoverySpeed {
    @JvmStatic
    fun main(args: Array<String>) = runBlocking(Dispatchers.IO) {
        val tree = if (args.isNotEmpty()) DeviceTree(Path.of(args[0])) else DeviceTree()
        if (!tree.exists(DeviceTree.HBA)) {
            tree.controller()
            for (i in 0 until 1000) {
                tree.disk("sd$i", "${8 + i / 16}:${i % 16 * 16}", "naa.5000c500%08x".format(i), 2048L + i, i)
            }
            println("made ${tree.root}: run again with it")
            return@runBlocking
        }
        val probe = tree.probe()
        val clock = TimeSource.Monotonic
        val threads = ManagementFactory.getThreadMXBean()
        val (began, cpu) = clock.markNow() to threads.currentThreadCpuTime
        var sight = probe.look(Look())
        val used = (threads.currentThreadCpuTime - cpu) / 1_000_000
        println("cold: ${began.elapsedNow()}, $used ms of CPU, for ${sight.devices.size} devices")
        val path = sight.devices.values.first { it.name == "sd500" }.sysPath
        val times = (1..200).map {
            tree.write("$path/size", "${it * 8}")
            measureTime { sight = probe.look(Look(sight, setOf(path))) }
        }
        println("single: first ${times.first()}, 10th ${times[9]}, median ${times.sorted()[100]}, worst ${times.max()}")
        println("full, warm: " + List(5) { measureTime { sight = probe.look(Look(sight)) } })
        val before = threads.currentThreadCpuTime
        repeat(5) { sight = probe.look(Look(sight)) }
        println("full, warm: ${(threads.currentThreadCpuTime - before) / 5_000_000} ms of CPU each")
    }
}
