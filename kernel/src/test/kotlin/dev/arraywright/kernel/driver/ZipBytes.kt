package dev.arraywright.kernel.driver

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.Deflater.DEFLATED

/** Writes a zip as it is told to, wrong ones too: any name, any number of times, and sizes that are not so. */
internal class ZipBytes {
    private class Record(val name: ByteArray, val flags: Int, val method: Int, val crc: Int, val packed: Int) {
        var size = 0
        var offset = 0
    }

    private val out = ByteArrayOutputStream()
    private val records = mutableListOf<Record>()
    private val deflater = Deflater(Deflater.BEST_SPEED, true)
    private val chunk = ByteArray(1 shl 16)

    /** @param claimedSize what the headers say its size is; the true one if null */
    fun add(name: String, content: ByteArray, deflate: Boolean, flags: Int = 0, claimedSize: Int? = null) {
        val packed = if (deflate) deflated(content) else content
        val crc = CRC32().apply { update(content) }.value.toInt()
        val record = Record(name.encodeToByteArray(), flags or UTF8, if (deflate) DEFLATED else 0, crc, packed.size)
        record.size = claimedSize ?: content.size
        record.offset = out.size()
        records += record
        val header = little(LOCAL_SIZE)
        header.putInt(0x04034b50)
        common(header, record)
        out.write(header.array())
        out.write(record.name)
        out.write(packed)
    }

    fun bytes(): ByteArray {
        val start = out.size()
        for (record in records) {
            val header = little(CENTRAL_SIZE)
            header.putInt(0x02014b50).putShort(20)
            common(header, record)
            header.putShort(0).putShort(0).putShort(0).putInt(0).putInt(record.offset)
            out.write(header.array())
            out.write(record.name)
        }
        val size = out.size() - start
        val end = little(END_SIZE).putInt(0x06054b50).putInt(0)
        val count = records.size.toShort()
        end.putShort(count).putShort(count).putInt(size).putInt(start).putShort(0)
        out.write(end.array())
        return out.toByteArray()
    }

    /** From the version needed to the length of the extra field: the same in both headers. */
    private fun common(header: ByteBuffer, record: Record) {
        header.putShort(20).putShort(record.flags.toShort()).putShort(record.method.toShort())
        header.putShort(0).putShort(0x5C21) // the time: always the same, so that the bytes are
        header.putInt(record.crc).putInt(record.packed).putInt(record.size)
        header.putShort(record.name.size.toShort()).putShort(0)
    }

    private fun deflated(content: ByteArray): ByteArray {
        deflater.reset()
        deflater.setInput(content)
        deflater.finish()
        val packed = ByteArrayOutputStream()
        while (!deflater.finished()) packed.write(chunk, 0, deflater.deflate(chunk))
        return packed.toByteArray()
    }

    private fun little(size: Int): ByteBuffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)

    companion object {
        /** The flag of an encrypted entry. */
        const val ENCRYPTED = 1
        private const val UTF8 = 0x800
        private const val LOCAL_SIZE = 30
        private const val CENTRAL_SIZE = 46
        private const val END_SIZE = 22
    }
}
