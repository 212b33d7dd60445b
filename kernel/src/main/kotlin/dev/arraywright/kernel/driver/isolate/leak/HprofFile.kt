package dev.arraywright.kernel.driver.isolate.leak

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path

/**
 * Reads a heap dump from its beginning to its end, in little memory.
 *
 * ```
 * "JAVA PROFILE 1.0.2\0"  u4 size of an identifier  u8 time
 * records:  u1 tag  u4 time  u4 length  body
 *   01 UTF8          id, text                        02 LOAD CLASS   u4 serial, id class, u4, id name
 *   0C, 1C HEAP DUMP entries: u1 kind, then
 *     FF..01 roots   see [ROOTS]
 *     20 CLASS       id, u4, ids: super loader signers domain 2 unused, u4 size, u2 n × (u2, u1 type, value),
 *                    u2 n × static (id name, u1 type, value), u2 n × field (id name, u1 type)
 *     21 INSTANCE    id, u4, id class, u4 length, values of its class, then of each superclass
 *     22 ARRAY       id, u4, u4 n, id class, ids       23 PRIMITIVES  id, u4, u4 n, u1 type, values
 * ```
 */
internal class HprofFile(private val path: Path) {
    /** What is read; all are no-ops to begin with. */
    interface Sink {
        fun text(id: Long, text: String) {}

        fun className(type: Long, text: Long) {}

        fun root(id: Long, kind: Int, thread: Int) {}

        fun type(type: Type) {}

        /** @param values valid during the call only */
        fun instance(id: Long, type: Long, values: ByteBuffer) {}

        /** @param elements valid during the call only */
        fun array(id: Long, type: Long, elements: ByteBuffer) {}
    }

    /** A class: [links] it has itself to others, by name, and the [fields] of its instances, each with its size. */
    class Type(val id: Long, val parent: Long, val links: List<Link>, val fields: List<Slot>)

    /** A reference from a class; [text] is a static field's name, or else [title] says what. */
    class Link(val to: Long, val text: Long, val title: String)

    class Slot(val text: Long, val reference: Boolean, val size: Int)

    private lateinit var input: Input
    private var idSize = 8

    fun read(sink: Sink) {
        FileChannel.open(path).use { channel ->
            input = Input(channel)
            while (true) if (input.u1() == 0) break
            idSize = input.u4()
            if (idSize != 4 && idSize != 8) throw IOException("identifiers of $idSize bytes")
            input.skip(8)
            while (input.more()) record(sink)
        }
    }

    fun id(values: ByteBuffer, at: Int): Long = if (idSize == 8)
        values.getLong(
            at,
        )
    else
        values.getInt(at).toLong() and U4

    val referenceSize: Int get() = idSize

    private fun record(sink: Sink) {
        val tag = input.u1()
        input.skip(4)
        val length = input.u4().toLong() and U4
        when (tag) {
            UTF8 -> id().let { sink.text(it, Charsets.UTF_8.decode(input.bytes((length - idSize).toInt())).toString()) }
            LOAD_CLASS -> {
                input.skip(4)
                val type = id()
                input.skip(4)
                sink.className(type, id())
            }
            HEAP_DUMP, HEAP_DUMP_SEGMENT -> {
                val end = input.position + length
                while (input.position < end) entry(sink)
            }
            else -> input.skip(length)
        }
    }

    private fun entry(sink: Sink) {
        when (val kind = input.u1()) {
            CLASS -> sink.type(type())
            INSTANCE -> {
                val id = id()
                input.skip(4)
                val type = id()
                sink.instance(id, type, input.bytes(input.u4()))
            }
            ARRAY -> {
                val id = id()
                input.skip(4)
                val size = (input.u4().toLong() and U4) * idSize
                if (size > Int.MAX_VALUE) throw IOException("an array of $size bytes")
                sink.array(id, id(), input.bytes(size.toInt()))
            }
            PRIMITIVES -> {
                input.skip(idSize + 4L)
                val count = input.u4().toLong() and U4
                input.skip(count * sizeOf(input.u1()))
            }
            else -> root(kind, sink)
        }
    }

    private fun root(kind: Int, sink: Sink) {
        val rest = ROOTS[kind] ?: throw IOException("unknown entry $kind at ${input.position}")
        val id = id()
        val thread = if (rest == 4L || rest == 8L) input.u4() else 0
        input.skip(if (rest < 0) idSize.toLong() else maxOf(0, rest - 4))
        sink.root(id, kind, thread)
    }

    private fun type(): Type {
        val id = id()
        input.skip(4)
        val parent = id()
        val links = mutableListOf(Link(parent, 0, "superclass"))
        listOf("class loader", "signers", "protection domain").mapTo(links) { Link(id(), 0, it) }
        input.skip(2L * idSize + 4)
        repeat(input.u2()) {
            input.skip(2)
            input.skip(sizeOf(input.u1()).toLong())
        }
        repeat(input.u2()) {
            val text = id()
            val type = input.u1()
            if (type == OBJECT) links += Link(id(), text, "") else input.skip(sizeOf(type).toLong())
        }
        val fields = List(input.u2()) {
            val text = id()
            val type = input.u1()
            Slot(text, type == OBJECT, sizeOf(type))
        }
        return Type(id, parent, links, fields)
    }

    private fun id(): Long = if (idSize == 8) input.u8() else input.u4().toLong() and U4

    private fun sizeOf(type: Int): Int = when (type) {
        OBJECT -> idSize
        4, 8 -> 1
        5, 9 -> 2
        6, 10 -> 4
        7, 11 -> 8
        else -> throw IOException("unknown type $type at ${input.position}")
    }

    /** A large buffer over the file. */
    private class Input(private val channel: FileChannel) {
        private var buffer = ByteBuffer.allocate(1 shl 18).flip()
        private var before = 0L

        val position: Long get() = before + buffer.position()

        fun more(): Boolean = buffer.hasRemaining() || channel.position() < channel.size()

        fun u1(): Int = need(1).get().toInt() and 0xff

        fun u2(): Int = need(2).getShort().toInt() and 0xffff

        fun u4(): Int = need(4).getInt()

        fun u8(): Long = need(8).getLong()

        /** A view that the next call invalidates. */
        fun bytes(count: Int): ByteBuffer {
            val from = need(count)
            val view = from.slice(from.position(), count)
            from.position(from.position() + count)
            return view
        }

        fun skip(count: Long) {
            if (count <= buffer.remaining()) {
                buffer.position(buffer.position() + count.toInt())
            } else {
                val target = position + count
                channel.position(target)
                before = target
                buffer.clear().flip()
            }
        }

        private fun need(count: Int): ByteBuffer {
            if (count >= 0 && buffer.remaining() >= count) return buffer
            // Before anything of that size is allocated.
            if (count < 0 || position + count > channel.size()) throw IOException("it ends at ${channel.size()}")
            before += buffer.position()
            val rest = buffer.slice()
            buffer = if (count > buffer.capacity()) ByteBuffer.allocate(count) else buffer
            buffer = refilled(rest)
            while (buffer.position() < count) if (channel.read(buffer) < 0) throw IOException("it was cut short")
            return buffer.flip()
        }

        private fun refilled(rest: ByteBuffer): ByteBuffer {
            val kept = ByteArray(rest.remaining()).also { rest.get(it) }
            return buffer.clear().put(kept)
        }
    }

    companion object {
        const val THREAD_OBJECT = 0x08
        private const val U4 = 0xffff_ffffL
        private const val UTF8 = 0x01
        private const val LOAD_CLASS = 0x02
        private const val HEAP_DUMP = 0x0c
        private const val HEAP_DUMP_SEGMENT = 0x1c
        private const val CLASS = 0x20
        private const val INSTANCE = 0x21
        private const val ARRAY = 0x22
        private const val PRIMITIVES = 0x23
        private const val OBJECT = 2

        /**
         * Bytes behind the object's identifier: of those with 4 or 8, the first four are a thread's serial number; -1
         * stands for another identifier.
         */
        private val ROOTS = mapOf(
            0xff to 0L,
            0x01 to -1L,
            0x02 to 8L,
            0x03 to 8L,
            0x04 to 4L,
            0x05 to 0L,
            0x06 to 4L,
            0x07 to 0L,
            THREAD_OBJECT to 8L,
        )
    }
}
