package dev.arraywright.kernel.driver.isolate.leak

import com.sun.management.HotSpotDiagnosticMXBean
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.io.IOException
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.io.path.div
import kotlin.io.path.writeBytes
import kotlin.random.Random

class HprofFileSpec : StringSpec({
    val folder = tempdir().toPath()

    fun dump(idSize: Int): ByteArray {
        val bytes = ByteArrayOutputStream()
        val out = DataOutputStream(bytes)

        fun DataOutputStream.id(n: Int) = if (idSize == 8) writeLong(n.toLong()) else writeInt(n)

        fun record(tag: Int, body: DataOutputStream.() -> Unit) {
            val content = ByteArrayOutputStream().also { DataOutputStream(it).body() }.toByteArray()
            out.writeByte(tag)
            out.writeInt(0)
            out.writeInt(content.size)
            out.write(content)
        }
        out.writeBytes("JAVA PROFILE 1.0.2\u0000")
        out.writeInt(idSize)
        out.writeLong(0)
        record(0x01) { id(1).also { writeBytes("a/Name") } }
        record(0x02) { writeInt(1).also { id(10) }.also { writeInt(0) }.also { id(1) } }
        record(0x05) { writeLong(0) }
        record(0x1c) {
            writeByte(0x08).also { id(20) }.also { writeInt(7) }.also { writeInt(0) }
            writeByte(0x01).also { id(21) }.also { id(99) }
            writeByte(0x05).also { id(22) }
            writeByte(0x06).also { id(23) }.also { writeInt(7) }
            writeByte(0x20).also { id(10) }.also { writeInt(0) }
            repeat(6) { id(11 + it) }
            writeInt(16)
            writeShort(1).also { writeShort(1) }.also { writeByte(10) }.also { writeInt(5) }
            writeShort(2).also {
                id(1)
            }.also { writeByte(2) }.also { id(30) }.also { id(1) }.also { writeByte(11) }.also { writeLong(6) }
            writeShort(2).also { id(1) }.also { writeByte(2) }.also { id(1) }.also { writeByte(5) }
            writeByte(0x23).also {
                id(24)
            }.also { writeInt(0) }.also { writeInt(3) }.also { writeByte(5) }.also { write(ByteArray(6)) }
        }
        record(0x1c) {
            writeByte(0x21).also { id(25) }.also { writeInt(0) }.also { id(10) }.also { writeInt(idSize + 2) }
            id(26).also { writeShort(3) }
            writeByte(0x22).also {
                id(27)
            }.also { writeInt(0) }.also { writeInt(2) }.also { id(28) }.also { id(25) }.also { id(26) }
        }
        record(0x2c) { }
        return bytes.toByteArray()
    }

    fun read(file: Path): List<String> {
        val told = mutableListOf<String>()
        val reader = HprofFile(file)
        reader.read(object : HprofFile.Sink {
            override fun text(id: Long, text: String) = told.plusAssign("$id=$text")

            override fun className(type: Long, text: Long) = told.plusAssign("class $type=$text")

            override fun root(id: Long, kind: Int, thread: Int) = told.plusAssign("root $id $kind $thread")

            override fun type(type: HprofFile.Type) = told.plusAssign(
                "type ${type.id}<${type.parent} ${type.links.map { it.to }} ${type.fields.map { it.size }}",
            )

            override fun instance(id: Long, type: Long, values: ByteBuffer) =
                told.plusAssign("instance $id:$type ${reader.id(values, 0)}")

            override fun array(id: Long, type: Long, elements: ByteBuffer) =
                told.plusAssign("array $id:$type ${reader.id(elements, reader.referenceSize)}")
        })
        return told
    }

    "a dump is read with identifiers of either size" {
        for (size in listOf(4, 8)) {
            read((folder / "dump").apply { writeBytes(dump(size)) }) shouldContainExactly listOf(
                "1=a/Name",
                "class 10=1",
                "root 20 8 7",
                "root 21 1 0",
                "root 22 5 0",
                "root 23 6 7",
                "type 10<11 [11, 12, 13, 14, 30] [$size, 2]",
                "instance 25:10 26",
                "array 27:28 26",
            )
        }
    }

    "a damaged dump ends in an IOException, and never in anything else" {
        val random = Random(1)
        val whole = dump(8)
        repeat(2_000) { round ->
            val bytes = if (round % 2 == 0) whole.copyOf(random.nextInt(whole.size)) else whole.copyOf()
            if (bytes.size > 40) repeat(3) { bytes[random.nextInt(40, bytes.size)] = random.nextInt().toByte() }
            val file = (folder / "damaged").apply { writeBytes(bytes) }
            try {
                read(file)
            } catch (_: IOException) {
                // Its own.
            }
        }
        shouldThrow<IOException> { read((folder / "damaged").apply { writeBytes(whole.copyOf(20)) }) }
    }

    "a path to a loader that is not there is not found" {
        val diagnostics = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean::class.java)
        HeapPaths.toLoader(Long.MIN_VALUE, diagnostics) shouldBe emptyList()
    }
})
