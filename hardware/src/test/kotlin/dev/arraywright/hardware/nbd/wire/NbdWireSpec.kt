package dev.arraywright.hardware.nbd.wire

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import java.io.ByteArrayInputStream
import java.io.EOFException
import java.nio.ByteBuffer
import java.nio.channels.Channels
import java.nio.channels.GatheringByteChannel
import java.util.HexFormat
import kotlin.random.Random

class NbdWireSpec : StringSpec({
    fun hex(text: String): ByteArray = HexFormat.of().parseHex(text.filterNot { it.isWhitespace() })

    fun reader(bytes: ByteArray) = WireReader(Channels.newChannel(ByteArrayInputStream(bytes)))

    fun encoded(size: Int, put: (ByteBuffer) -> Unit): ByteArray = ByteBuffer.allocate(size).also(put).array()

    "the magic numbers spell what the protocol says" {
        encoded(16) {
            it.putLong(Nbd.INIT_MAGIC).putLong(Nbd.OPTION_MAGIC)
        }.decodeToString() shouldBe "NBDMAGICIHAVEOPT"
    }

    "a request has the bytes of the protocol's table" {
        val request = NbdRequest(Nbd.CommandFlag.FUA, Nbd.Command.WRITE, 0x1122334455667788, 0x1000, 512)
        val golden = hex("25609513 0001 0001 1122334455667788 0000000000001000 00000200")
        encoded(NbdRequest.BYTES, request::encode) shouldBe golden
        NbdRequest.decode(reader(golden)) shouldBe request
    }

    "any request comes back as it was sent" {
        checkAll(Arb.int(0..0xffff), Arb.int(0..0xffff), Arb.long(), Arb.long(), Arb.long(0..0xffffffffL)) {
            flags,
            command,
            cookie,
            offset,
            length,
            ->
            val request = NbdRequest(flags, command, cookie, offset, length)
            NbdRequest.decode(reader(encoded(NbdRequest.BYTES, request::encode))) shouldBe request
        }
    }

    "a request with another magic is refused" {
        shouldThrow<NbdProtocolException> {
            NbdRequest.decode(reader(ByteArray(28) { 7 }))
        }.message shouldContain "0x07070707"
    }

    "replies have the bytes of the protocol's tables" {
        encoded(16) { SimpleReply.encode(it, 28, 5) } shouldBe hex("67446698 0000001c 0000000000000005")
        encoded(20) {
            ChunkHeader.encode(it, 1, Nbd.Chunk.ERROR, 6, 9)
        } shouldBe hex("668e33ef 0001 8001 0000000000000006 00000009")
    }

    "GO and the meta context options have the bytes of the protocol's tables" {
        GoOption("ab", listOf(3, 1)).encode() shouldBe hex("00000002 6162 0002 0003 0001")
        MetaContextOption("x", listOf("base:")).encode() shouldBe hex("00000001 78 00000001 00000005 626173653a")
    }

    "options come back as they were sent" {
        checkAll(Arb.string(0..40), Arb.list(Arb.int(0..0xffff), 0..5), Arb.list(Arb.string(0..30), 0..5)) {
            text,
            wanted,
            texts,
            ->
            val name = text.filter { it != '\u0000' && !it.isSurrogate() }
            val queries = texts.map { query -> query.filter { it != '\u0000' && !it.isSurrogate() } }
            GoOption.decode(ByteBuffer.wrap(GoOption(name, wanted).encode())) shouldBe GoOption(name, wanted)
            val meta = MetaContextOption(name, queries)
            MetaContextOption.decode(ByteBuffer.wrap(meta.encode())) shouldBe meta
        }
    }

    "option data cut short, overlong, or with lengths that lie is malformed and nothing worse" {
        val whole = MetaContextOption("name", listOf("base:allocation", "x:y")).encode()
        for (length in 0 until whole.size) {
            shouldThrow<MalformedOptionException> {
                MetaContextOption.decode(ByteBuffer.wrap(whole, 0, length).slice())
            }
        }
        shouldThrow<MalformedOptionException> { MetaContextOption.decode(ByteBuffer.wrap(whole + 0)) }
        shouldThrow<MalformedOptionException> { GoOption.decode(ByteBuffer.wrap(hex("ffffffff 0000"))) }
        shouldThrow<MalformedOptionException> { GoOption.decode(ByteBuffer.wrap(hex("00000000 0002 0003"))) }
        shouldThrow<MalformedOptionException> { MetaContextOption.decode(ByteBuffer.wrap(hex("00000000 7fffffff"))) }
        shouldThrow<MalformedOptionException> { GoOption.decode(ByteBuffer.wrap(hex("00000001 ff 0000"))) }
        shouldThrow<MalformedOptionException> { GoOption.decode(ByteBuffer.wrap(hex("00000001 00 0000"))) }
        shouldThrow<MalformedOptionException> {
            GoOption.decode(ByteBuffer.wrap(GoOption("n".repeat(4097), emptyList()).encode()))
        }
    }

    "a reader gives the same bytes however they arrive, to buffers of every size" {
        val random = Random(11)
        repeat(30) {
            val bytes = random.nextBytes(random.nextInt(1, 300_000))
            val source = Channels.newChannel(ByteArrayInputStream(bytes))
            val reader = WireReader(object : java.nio.channels.ReadableByteChannel by source {
                override fun read(target: ByteBuffer): Int {
                    val part = target.slice(target.position(), minOf(target.remaining(), random.nextInt(1, 100_000)))
                    return source.read(part).also { if (it > 0) target.position(target.position() + it) }
                }
            })
            var at = 0
            while (at < bytes.size) {
                val step = minOf(bytes.size - at, random.nextInt(1, 70_000))
                if (random.nextInt(4) == 0) {
                    reader.skip(step.toLong())
                } else {
                    reader.bytes(step).array() shouldBe bytes.copyOfRange(at, at + step)
                }
                at += step
            }
            reader.awaitByte() shouldBe false
            shouldThrow<EOFException> { reader.require(1) }
        }
    }

    "a writer sends headers and payloads in their order, however little the channel takes at once" {
        val random = Random(12)
        val sent = java.io.ByteArrayOutputStream()
        val channel = object : GatheringByteChannel {
            override fun write(source: ByteBuffer): Int = write(arrayOf(source), 0, 1).toInt()

            override fun write(sources: Array<ByteBuffer>): Long = write(sources, 0, sources.size)

            override fun write(sources: Array<ByteBuffer>, offset: Int, length: Int): Long {
                val most = random.nextInt(1, 50_000)
                var taken = 0
                for (source in sources.slice(offset until offset + length)) {
                    while (source.hasRemaining() && taken < most) {
                        sent.write(source.get().toInt())
                        taken++
                    }
                }
                return taken.toLong()
            }

            override fun isOpen() = true

            override fun close() = Unit
        }
        val expected = java.io.ByteArrayOutputStream()
        val writer = WireWriter(channel)
        repeat(2000) {
            val header = random.nextBytes(random.nextInt(1, 40))
            writer.header(40).put(header)
            expected.write(header)
            if (random.nextBoolean()) {
                val payload = random.nextBytes(if (random.nextInt(200) == 0) 3_000_000 else random.nextInt(1, 3000))
                writer.payload(ByteBuffer.wrap(payload))
                expected.write(payload)
            }
            if (random.nextInt(50) == 0) writer.flush()
        }
        writer.flush()
        sent.toByteArray() shouldBe expected.toByteArray()
    }
})
