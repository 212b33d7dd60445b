package dev.arraywright.kernel.spare

import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.ScrubMark
import dev.arraywright.raid.spare.ScrubMarks
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.zip.CRC32C
import kotlin.io.path.createDirectories
import kotlin.io.path.fileSize
import kotlin.io.path.readBytes
import kotlin.time.Instant

/** Marks that end with the process. */
internal class ScrubMarkMemory : ScrubMarks {
    private val marks = ConcurrentHashMap<UUID, ScrubMark>()

    override suspend fun load(array: UUID): ScrubMark? = marks[array]

    override suspend fun save(array: UUID, mark: ScrubMark) {
        marks[array] = mark
    }
}

/**
 * Marks in [directory], a file `scrub-UUID` an array: one line of a version digit, a checksum (CRC-32C, 8 hexadecimal
 * digits) and a JSON object, as in the journal. Replaced as a whole, so a crash leaves the old or the new one; a file that
 * cannot be read is as none, and the scrub begins anew.
 */
internal class ScrubMarkFiles(private val directory: Path) : ScrubMarks {
    private val turn = Mutex()

    override suspend fun load(array: UUID): ScrubMark? = turn.withLock {
        withContext(Dispatchers.IO) {
            val file = file(array)
            try {
                if (file.fileSize() > LONGEST) null else parse(file.readBytes())
            } catch (_: NoSuchFileException) {
                null
            }
        }
    }

    override suspend fun save(array: UUID, mark: ScrubMark): Unit = turn.withLock {
        withContext(Dispatchers.IO) {
            directory.createDirectories()
            val next = directory.resolve("${file(array).fileName}.new")
            FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
                val bytes = ByteBuffer.wrap(encode(mark))
                while (bytes.hasRemaining()) channel.write(bytes)
                channel.force(true)
            }
            Files.move(next, file(array), ATOMIC_MOVE, REPLACE_EXISTING)
            FileChannel.open(directory, READ).use { it.force(true) }
        }
    }

    private fun file(array: UUID) = directory.resolve("scrub-$array")

    @Serializable
    private data class Kept(val position: Long, val mode: String, val completed: String)

    internal companion object {
        private const val VERSION = '1'
        private const val PAYLOAD_AT = 11
        private const val LONGEST = 4096L
        private val json = Json { ignoreUnknownKeys = true }

        fun encode(mark: ScrubMark): ByteArray {
            val kept = Kept(mark.position, mark.mode.name.lowercase(), mark.completed.toString())
            val payload = json.encodeToString(kept).encodeToByteArray()
            return "$VERSION ${checksum(payload)} ".encodeToByteArray() + payload + '\n'.code.toByte()
        }

        /** Null for anything that [encode] did not write. */
        fun parse(line: ByteArray): ScrubMark? {
            if (line.size <= PAYLOAD_AT || line.last() != '\n'.code.toByte()) return null
            val payload = line.copyOfRange(PAYLOAD_AT, line.size - 1)
            val head = String(line, 0, PAYLOAD_AT, Charsets.ISO_8859_1)
            if (head != "$VERSION ${checksum(payload)} ") return null
            return try {
                val kept = json.decodeFromString<Kept>(String(payload, Charsets.UTF_8))
                val mode = ScrubMode.entries.firstOrNull { it.name.lowercase() == kept.mode } ?: return null
                ScrubMark(kept.position, mode, Instant.parse(kept.completed)).takeIf { it.position >= 0 }
            } catch (_: SerializationException) {
                null
            } catch (_: IllegalArgumentException) {
                null
            }
        }

        private fun checksum(payload: ByteArray): String =
            CRC32C().apply { update(payload) }.value.toInt().toHexString()
    }
}
