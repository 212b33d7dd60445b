package dev.arraywright.kernel.driver.source

import java.io.ByteArrayOutputStream
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import kotlin.random.Random

/** A zip with one entry of [size] random bytes, another for each seed, and perhaps one that is stored as it is. */
internal fun jarBytes(
    seed: Int = 1,
    size: Int = 1_000 + seed,
    stored: ByteArray? = null,
    comment: String = "",
): ByteArray {
    val bytes = ByteArrayOutputStream()
    ZipOutputStream(bytes).use { zip ->
        zip.setComment(comment)
        if (stored != null) {
            val entry = ZipEntry("lib/stored.jar").apply {
                method = ZipEntry.STORED
                time = 0
                this.size = stored.size.toLong()
                crc = CRC32().apply { update(stored) }.value
            }
            zip.putNextEntry(entry)
            zip.write(stored)
            zip.closeEntry()
        }
        zip.putNextEntry(ZipEntry("content").apply { time = 0 })
        zip.write(Random(seed).nextBytes(size))
        zip.closeEntry()
    }
    return bytes.toByteArray()
}
