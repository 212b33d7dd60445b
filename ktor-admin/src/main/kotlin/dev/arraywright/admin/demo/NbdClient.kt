package dev.arraywright.admin.demo

import dev.arraywright.hardware.nbd.client.NbdDevice
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runInterruptible
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.READ
import java.security.MessageDigest
import java.util.HexFormat

/** An export as a client sees it, by the project's own NBD client. Calls may run at once. */
internal class NbdClient private constructor(private val device: AsyncBlockDevice) : AutoCloseable {
    /** Bytes of the export. */
    val size: Long get() = device.info().size

    /** Fills [target]; position and limit stay as they are. */
    suspend fun read(target: ByteBuffer, offset: Long) {
        device.read(target, offset).await()
    }

    suspend fun write(source: ByteBuffer, offset: Long) {
        device.write(source, offset).await()
    }

    suspend fun flush() {
        device.flush().await()
    }

    /** Writes a file's content to the start of the export, and flushes. */
    suspend fun copyIn(file: Path) {
        FileChannel.open(file, READ).use { channel ->
            val piece = ByteBuffer.allocateDirect(PIECE)
            var offset = 0L
            while (runInterruptible(Dispatchers.IO) { channel.read(piece.clear(), offset) } > 0) {
                piece.flip()
                write(piece, offset)
                offset += piece.remaining()
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
            offset += piece.remaining()
            digest.update(piece.duplicate())
        }
        return HexFormat.of().formatHex(digest.digest())
    }

    override fun close(): Unit = device.close()

    companion object {
        private const val PIECE = 1 shl 20

        /** Connects to the export at [uri], within ten seconds. */
        suspend fun open(uri: String): NbdClient =
            runInterruptible(Dispatchers.IO) { NbdClient(NbdDevice.open(StorageAddress.parse(uri))) }
    }
}
