package dev.arraywright.admin.demo

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.file.Path
import java.security.MessageDigest
import java.util.HexFormat
import java.util.SplittableRandom
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectory
import kotlin.io.path.fileSize
import kotlin.io.path.inputStream
import kotlin.io.path.isExecutable
import kotlin.io.path.outputStream
import kotlin.io.path.writeBytes

/** A file to copy: [description] says what is in it, [sha256] is of its content. */
internal class DiskImage private constructor(val path: Path, val description: String) {
    val size: Long = path.fileSize()
    val sha256: String = digest()

    /** Whether the file's content is what it was. */
    suspend fun isUnchanged(): Boolean = runInterruptible(Dispatchers.IO) { digest() } == sha256

    private fun digest(): String = path.inputStream().use { input ->
        val digest = MessageDigest.getInstance("SHA-256")
        val buffer = ByteArray(1 shl 20)
        generateSequence { input.read(buffer).takeIf { it >= 0 } }.forEach { digest.update(buffer, 0, it) }
        HexFormat.of().formatHex(digest.digest())
    }

    companion object {
        private const val SIZE = 48L shl 20
        private const val FILES = 12
        private const val LONGEST_MKFS = 30L

        /** An ext4 file system with files in it where mkfs.ext4 is installed, else bytes of a seeded generator. */
        suspend fun make(directory: Path): DiskImage = runInterruptible(Dispatchers.IO) {
            val path = directory.resolve("image")
            val mkfs = listOf("/usr/sbin", "/sbin", "/usr/bin").map {
                Path.of(it, "mkfs.ext4")
            }.find { it.isExecutable() }
            if (mkfs != null && fileSystem(mkfs, directory, path)) {
                DiskImage(path, "ext4 of ${SIZE shr 20} MiB with $FILES files, by mkfs.ext4 -d")
            } else {
                generate(path, SIZE)
                DiskImage(path, "${SIZE shr 20} MiB of seeded random bytes, as mkfs.ext4 is not installed")
            }
        }

        /** [size] bytes of a seeded generator, which differ from file to file. */
        suspend fun random(path: Path, size: Long): DiskImage = runInterruptible(Dispatchers.IO) {
            generate(path, size, seed = "${path.fileName}".hashCode().toLong())
            DiskImage(path, "${size shr 20} MiB of seeded random bytes")
        }

        private fun fileSystem(mkfs: Path, directory: Path, path: Path): Boolean {
            val tree = directory.resolve("tree").createDirectory()
            repeat(FILES) { i -> generate(tree.resolve("file$i"), (i + 1) * 100_003L) }
            RandomAccessFile(path.toFile(), "rw").use { it.setLength(SIZE) }
            val process = ProcessBuilder("$mkfs", "-q", "-F", "-d", "$tree", "$path")
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
            try {
                if (!process.waitFor(
                        LONGEST_MKFS,
                        TimeUnit.SECONDS,
                    )
                )
                    throw IOException("$mkfs did not end within $LONGEST_MKFS s")
                return process.exitValue() == 0
            } finally {
                process.destroyForcibly()
            }
        }

        private fun generate(path: Path, size: Long, seed: Long = size) {
            val random = SplittableRandom(seed)
            val piece = ByteArray(1 shl 16)
            path.outputStream().use { out ->
                var left = size
                while (left > 0) {
                    random.nextBytes(piece)
                    val count = minOf(left, piece.size.toLong()).toInt()
                    out.write(piece, 0, count)
                    left -= count
                }
            }
        }
    }
}
