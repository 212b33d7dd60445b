package dev.arraywright.hardware.device

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path

internal class TestContext(private val pool: BufferAllocator = BufferPool(64L shl 20)) : DriverContext {
    override fun settings(): Map<String, String> = emptyMap()

    override fun buffers(): BufferAllocator = pool

    override fun logger(): System.Logger = System.getLogger("test")
}

internal fun <D : Driver> D.ready(): D = apply { initialize(TestContext()) }

internal fun Driver.open(address: String, options: OpenOptions = OpenOptions.DEFAULT): BlockDevice =
    open(StorageAddress.parse(address), options)

/** A sparse file in a directory of its own, on the build's file system. */
internal fun scratchFile(size: Long, name: String = "member.img", directory: Path = scratchDirectory()): Path =
    directory.resolve(name).also { path ->
        java.io.RandomAccessFile(path.toFile(), "rw").use { it.setLength(size) }
    }

internal fun scratchDirectory(): Path =
    Files.createTempDirectory(Files.createDirectories(Path.of("target", "scratch")), "device").toAbsolutePath().apply {
        toFile().deleteOnExit()
    }

internal fun BlockDevice.bytes(offset: Long, length: Int): ByteArray =
    ByteArray(length).also { read(ByteBuffer.wrap(it), offset) }
