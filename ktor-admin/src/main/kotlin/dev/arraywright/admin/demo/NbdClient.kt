package dev.arraywright.admin.demo

import dev.arraywright.spi.device.BlockDevice
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.READ
import java.security.MessageDigest
import java.util.HexFormat

/** An export as a client sees it, by the project's own NBD client. Calls may run at once. */
internal class NbdClient private constructor(private val device: BlockDevice) : AutoCloseable {
    /** Bytes of the export. */
    val size: Long get() = device.info().size

    suspend fun read(target: ByteBuffer, offset: Long): Unit = runInterruptible(Dispatchers.IO) {
        device.read(target, offset)
    }

    suspend fun write(source: ByteBuffer, offset: Long): Unit = runInterruptible(Dispatchers.IO) {
        device.write(source, offset)
    }

    suspend fun flush(): Unit = runInterruptible(Dispatchers.IO) { device.flush() }

    /** Writes a file's content to the start of the export, and flushes. */
    suspend fun copyIn(file: Path) {
        FileChannel.open(file, READ).use { channel ->
            val piece = ByteBuffer.allocateDirect(PIECE)
            var offset = 0L
            while (runInterruptible(Dispatchers.IO) { channel.read(piece.clear(), offset) } > 0) {
                piece.flip()
                offset += piece.remaining().also { write(piece, offset) }
            }
        }
        flush()
    }

    /** The SHA-256 of the first [length] bytes, in hexadecimal. */
    suspend fun sha256(length: Long): String {
        val digest = MessageDigest.getInstance("SHA-256")
        val piece = ByteBuffer.allocateDirect(PIECE)
        var offset = 0L
        while (offset < length) {
            piece.clear().limit(minOf(PIECE.toLong(), length - offset).toInt())
            read(piece, offset)
            offset += piece.flip().remaining()
            digest.update(piece)
        }
        return HexFormat.of().formatHex(digest.digest())
    }

    override fun close(): Unit = device.close()

    companion object {
        private const val PIECE = 1 shl 20

        suspend fun open(uri: String): NbdClient = TODO()
    }
}
