package dev.arraywright.samples.embedded

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.builder.configuration
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.nio.ByteBuffer

/** A RAID-6 in memory: watched, written, degraded, read. */
public fun main(): Unit = runBlocking {
    val configuration = configuration {
        policy { rebuildPriority = 80 }
        memory { readCache("8MiB") }
    }
    ArraywrightKernel.start(configuration.applyTo(KernelOptions())).use { kernel ->
        kernel.apply(configuration).forEach { throw it }
        val members = (0..4).map { "memory:16MiB#kotlin$it" }
        val array = kernel.createArray(
            ArraySpec("scratch", RaidLevel.RAID6, members, chunk = 64 * 1024, assumeClean = true),
        )
        val watcher = launch {
            array.status.collect { println("${it.name}: ${it.health}, ${it.members.map { member -> member.state }}") }
        }

        val text = "kept by any three of five members".encodeToByteArray()
        array.write(ByteBuffer.wrap(text), offset = 4711)
        array.flush()
        array.fail("0")
        array.fail("3")

        val read = ByteBuffer.allocate(text.size)
        array.read(read, offset = 4711)
        println("read degraded: ${read.array().decodeToString()}")
        watcher.cancel()
    }
}
