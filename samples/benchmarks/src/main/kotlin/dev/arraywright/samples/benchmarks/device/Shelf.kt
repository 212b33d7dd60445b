package dev.arraywright.samples.benchmarks.device

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.device.block.BlockSpecialDriver
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.file.FileImages
import dev.arraywright.hardware.device.guard.SystemDeadlineTimer
import dev.arraywright.hardware.device.memory.MemoryDriver
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.samples.benchmarks.Options
import dev.arraywright.samples.benchmarks.writeThrough
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** The devices of a run, all zeroes and each of its bytes written; closing it leaves nothing of them. */
internal class Shelf private constructor(private val options: Options, val buffers: BufferPool) : AutoCloseable {
    private val timer = SystemDeadlineTimer()
    private val opener =
        DeviceOpener(buffers, timer, BuiltInDrivers.of(FileDriver(), BlockSpecialDriver(), MemoryDriver()))
    private val alarm = Alarm()
    private val files = ArrayList<Path>()
    private val loops = ArrayList<String>()
    val devices = ArrayList<AsyncBlockDevice>()

    override fun close() {
        devices.forEach { it.close() }
        loops.forEach { command("losetup", "-d", it) }
        files.forEach(Files::deleteIfExists)
        opener.close()
        timer.close()
        alarm.close()
        buffers.close()
    }

    private suspend fun add(size: Long) {
        val number = devices.size
        devices += when (options.devices) {
            "model" -> ModelDisk("model:$number", size, options.model, alarm)
            "memory" -> open(StorageAddress.Memory(size, "m$number"))
            "files" -> open(StorageAddress.File(file(number, size).toString()))
            "loops" -> open(StorageAddress.Block(loop(file(number, size))))
            else -> error("no devices of kind ${options.devices}")
        }
        // Holes are read faster than what was written, and written slower.
        if (options.devices != "model") writeThrough(devices[number], 0, size)
    }

    private suspend fun open(address: StorageAddress) = opener.open(address, OpenOptions(false, options.direct))

    private fun file(number: Int, size: Long): Path {
        val path = options.directory.resolve("arraywright-benchmark-${ProcessHandle.current().pid()}-$number")
        FileImages.create(path, size)
        files.add(path)
        return path
    }

    private fun loop(file: Path): String {
        val direct = if (options.direct) "on" else "off"
        return command("losetup", "-f", "--show", "--direct-io=$direct", file.toString()).also { loops += it }
    }

    private fun command(vararg words: String): String {
        val process = ProcessBuilder(*words).redirectErrorStream(true).start()
        process.outputStream.close()
        val said = process.inputReader().readText().trim()
        check(process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0) { "${words.joinToString(" ")}: $said" }
        return said
    }

    companion object {
        private const val BUFFERS = 512L shl 20

        /** Runs [action] with [count] devices of [size] bytes. */
        suspend fun <T> with(options: Options, count: Int, size: Long, action: suspend (Shelf) -> T): T =
            Shelf(options, BufferPool(BUFFERS)).use { shelf ->
                repeat(count) { shelf.add(size) }
                action(shelf)
            }
    }
}
