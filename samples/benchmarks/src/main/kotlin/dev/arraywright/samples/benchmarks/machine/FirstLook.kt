package dev.arraywright.samples.benchmarks.machine

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.HardwareMonitor
import dev.arraywright.hardware.discovery.of
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import java.io.FileInputStream
import java.nio.file.Path
import kotlin.io.path.writeText

/** In a JVM of its own: the first look at a tree, then changes of one device. */
internal class FirstLook(arguments: List<String>) {
    private val sys = Path.of(arguments[0])
    private val proc = Path.of(arguments[1])
    private val devices = arguments[2].toInt()
    private val changes = arguments[3].toInt()
    private val changing = arguments[4]

    fun run(): Unit = runBlocking(Dispatchers.Default) {
        val cpu = Own.cpu()
        val began = System.nanoTime()
        HardwareMonitor.of(coroutineContext, sys, proc).use { monitor ->
            monitor.devices.first { found -> found.values.count { DeviceFlag.BLOCK in it.flags } >= devices }
            println("first.ns=${System.nanoTime() - began}\nfirst.cpu=${Own.cpu() - cpu}")
            count("full") { monitor.rescan() }
            changes(monitor)
        }
    }

    /** Whatever else reads files has done so when this is done again. */
    private suspend fun count(name: String, look: suspend () -> Unit) {
        repeat(2) { look() }
        val before = Own.reads()
        look()
        // the second figure is what it costs to ask
        val (seen, asked) = Own.reads() to Own.reads()
        val reads = seen - before - (asked - seen)
        println("$name.calls=${reads.calls}\n$name.bytes=${reads.bytes}")
    }

    private suspend fun changes(monitor: HardwareMonitor) {
        val id = monitor.devices.value.values.first { it.sysPath == changing }.id
        val visible = LongArray(changes)
        val told = LongArray(changes)
        val plain = LongArray(changes)
        val files = PlainReads.of(sys.resolve(changing))
        for (i in 0 until changes) {
            sys.resolve("$changing/size").writeText("${8 * (i + 1)}\n")
            visible[i] = change(monitor, 4096L * (i + 1), id)
            val now = System.nanoTime()
            PlainReads.read(files)
            plain[i] = System.nanoTime() - now
        }
        for (i in 0 until changes) {
            sys.resolve("$changing/size").writeText("${8 * (i + 2)}\n")
            told[i] = toldChange(monitor, 4096L * (i + 2), id)
        }
        println("single.first=${visible[0]}")
        for ((name, times) in listOf("single" to visible, "told" to told, "plain" to plain)) print(name, times)
        count("single") { monitor.rescan(changing) }
    }

    /** The first fifth is for the JVM to warm up. */
    private fun print(name: String, times: LongArray) {
        val sorted = times.drop(times.size / 5).sorted()
        println("$name.median=${sorted[sorted.size / 2]}\n$name.p99=${sorted[sorted.size * 99 / 100]}")
    }

    private suspend fun change(monitor: HardwareMonitor, size: Long, id: DeviceId): Long {
        val began = System.nanoTime()
        monitor.rescan(changing)
        monitor.devices.first { it.size(id) == size }
        return System.nanoTime() - began
    }

    /** By a collector that has been told of all else. */
    private suspend fun toldChange(monitor: HardwareMonitor, size: Long, id: DeviceId): Long = runBlocking {
        val ready = CompletableDeferred<Unit>()
        val all = monitor.devices.value.size
        var count = 0
        val told = async(Dispatchers.Default) {
            monitor.changes.first {
                if (++count == all) ready.complete(Unit)
                it is HardwareChange.Changed && it.device.id == id && it.device.size == size
            }
            System.nanoTime()
        }
        ready.await()
        val began = System.nanoTime()
        monitor.rescan(changing)
        told.await() - began
    }

    private fun Map<DeviceId, HardwareDevice>.size(id: DeviceId) = get(id)?.size
}

/** In a JVM of its own: reads as many files as a look at all devices does, by one thread, the plainest way there is. */
internal class PlainReads(arguments: List<String>) {
    private val sys = Path.of(arguments[0])
    private val files = arguments[1].toInt()
    private val disks = arguments.drop(2)

    fun run() {
        val cpu = Own.cpu()
        val began = System.nanoTime()
        var left = files
        while (left > 0) {
            for (disk in disks) {
                if (left <= 0) break
                left -= read(of(sys.resolve(disk)), left)
            }
        }
        println("plain.ns=${System.nanoTime() - began}\nplain.cpu=${Own.cpu() - cpu}")
    }

    companion object {
        /** The files that tell most of a disk. */
        fun of(disk: Path): List<String> = (
            listOf("uevent", "size", "ro", "removable", "queue/rotational", "queue/logical_block_size") +
                listOf("queue/physical_block_size", "device/model")
        ).map { "$disk/$it" }

        /** Reads each once, which gives all of it. */
        fun read(files: List<String>, most: Int = Int.MAX_VALUE): Int {
            val page = ByteArray(4096)
            var calls = 0
            for (file in files) {
                if (calls >= most) break
                FileInputStream(file).use { it.read(page) }
                calls++
            }
            return calls
        }
    }
}
