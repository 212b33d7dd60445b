package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.RawClient
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.MetaContextOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Option
import dev.arraywright.hardware.nbd.wire.Nbd.Rep
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer

class NbdServerHandshakeSpec : StringSpec({
    lateinit var server: NbdServer

    beforeEach {
        server = NbdServer.start(NbdEndpoint.Tcp(port = 0), NbdLimits(), CountingBuffers())
        server.export(NbdExport("disk", StrictMemory(1 shl 20, block = 512), "about it"))
        server.export(NbdExport("ro", StrictMemory(4096), readOnly = true))
    }
    afterEach { server.close() }

    fun client(flags: Int = 3) = RawClient(server).greet(flags)

    fun types(replies: List<RawClient.OptionReply>) = replies.map { it.type }

    "LIST names every export with its description" {
        client().use { client ->
            val replies = client.ask(Option.LIST)
            types(replies) shouldContainExactly listOf(Rep.SERVER, Rep.SERVER, Rep.ACK)
            replies[0].data.drop(4).toByteArray().decodeToString() shouldBe "diskabout it"
            ByteBuffer.wrap(replies[0].data).int shouldBe 4
        }
    }

    "GO tells size, flags and what else was asked for, and enters the transmission phase" {
        client().use { client ->
            client.ask(Option.STRUCTURED_REPLY)
            val replies = client.ask(Option.GO, GoOption("disk", listOf(3, 1, 2, 77)).encode())
            types(replies) shouldContainExactly listOf(Rep.INFO, Rep.INFO, Rep.INFO, Rep.INFO, Rep.ACK)
            val export = ByteBuffer.wrap(replies[0].data)
            export.short.toInt() shouldBe Nbd.Info.EXPORT
            export.long shouldBe 1048576L
            export.short.toInt() shouldBe 0b1000_1110_1101
            val blocks = ByteBuffer.wrap(replies[1].data)
            blocks.short.toInt() shouldBe Nbd.Info.BLOCK_SIZE
            listOf(blocks.int, blocks.int, blocks.int) shouldContainExactly listOf(512, 4096, 32 shl 20)
            replies[2].data.drop(2).toByteArray().decodeToString() shouldBe "disk"
            replies[3].data.drop(2).toByteArray().decodeToString() shouldBe "about it"
            client.request(Nbd.Command.READ, 0, 512)
            client.chunk().data.size shouldBe 8 + 512
        }
    }

    "INFO tells the same and stays in the handshake; a read-only export says so" {
        client().use { client ->
            val info = client.ask(Option.INFO, GoOption("ro", emptyList()).encode())
            types(info) shouldContainExactly listOf(Rep.INFO, Rep.ACK)
            ByteBuffer.wrap(info[0].data).getShort(10).toInt() shouldBe 0b1111
            types(client.ask(Option.LIST)).last() shouldBe Rep.ACK
        }
    }

    "EXPORT_NAME enters the transmission phase, with or without padding" {
        for ((flags, padding) in listOf(3 to 0, 1 to 124, 0 to 124)) {
            withClue("client flags $flags") {
                client(flags).use { client ->
                    client.sendOption(Option.EXPORT_NAME, "disk".encodeToByteArray())
                    val bytes = ByteBuffer.allocate(10 + padding)
                    while (bytes.hasRemaining()) client.channel.read(bytes)
                    bytes.flip().long shouldBe 1048576L
                    bytes.short.toInt() shouldBe 0b1000_0110_1101
                    client.request(Nbd.Command.READ, 0, 512)
                    client.simple(512).data shouldBe ByteArray(512)
                }
            }
        }
    }

    "EXPORT_NAME of nothing hangs up; GO and INFO of nothing say so" {
        client().use { client ->
            types(
                client.ask(Option.GO, GoOption("nothing", emptyList()).encode()),
            ) shouldContainExactly listOf(Rep.ERR_UNKNOWN)
            types(
                client.ask(Option.INFO, GoOption("", emptyList()).encode()),
            ) shouldContainExactly listOf(Rep.ERR_UNKNOWN)
            client.sendOption(Option.EXPORT_NAME, "nothing".encodeToByteArray())
            client.isHungUp() shouldBe true
        }
    }

    "the empty name means the only export" {
        server.unexport("ro") shouldBe true
        client().use { client ->
            types(
                client.ask(Option.INFO, GoOption("", emptyList()).encode()),
            ) shouldContainExactly listOf(Rep.INFO, Rep.ACK)
        }
    }

    "ABORT is acknowledged and ends the connection" {
        client().use { client ->
            types(client.ask(Option.ABORT)) shouldContainExactly listOf(Rep.ACK)
            client.isHungUp() shouldBe true
        }
    }

    "TLS, extended headers and unknown options are refused, and the next option works" {
        client().use { client ->
            for (option in listOf(Option.STARTTLS, Option.EXTENDED_HEADERS, 4, 12, 0x7fffffff)) {
                types(client.ask(option, ByteArray(option and 7))) shouldContainExactly listOf(Rep.ERR_UNSUP)
            }
            types(client.ask(Option.STRUCTURED_REPLY)) shouldContainExactly listOf(Rep.ACK)
        }
    }

    "options with data that does not belong there are invalid" {
        client().use { client ->
            types(client.ask(Option.LIST, ByteArray(1))) shouldContainExactly listOf(Rep.ERR_INVALID)
            types(client.ask(Option.STRUCTURED_REPLY, ByteArray(1))) shouldContainExactly listOf(Rep.ERR_INVALID)
            types(client.ask(Option.GO, ByteArray(3))) shouldContainExactly listOf(Rep.ERR_INVALID)
            types(client.ask(Option.SET_META_CONTEXT, ByteArray(3))) shouldContainExactly listOf(Rep.ERR_INVALID)
        }
    }

    "an option too long is refused and read past, one absurdly long hangs up" {
        client().use { client ->
            types(client.ask(Option.GO, ByteArray(20_000))) shouldContainExactly listOf(Rep.ERR_TOO_BIG)
            client.sendOption(Option.GO, ByteArray(0), length = Int.MAX_VALUE)
            client.isHungUp() shouldBe true
        }
    }

    "meta contexts need structured replies first" {
        client().use { client ->
            val wanted = MetaContextOption("disk", listOf("base:allocation")).encode()
            types(client.ask(Option.SET_META_CONTEXT, wanted)) shouldContainExactly listOf(Rep.ERR_INVALID)
            client.ask(Option.STRUCTURED_REPLY)
            types(client.ask(Option.SET_META_CONTEXT, wanted)) shouldContainExactly listOf(Rep.META_CONTEXT, Rep.ACK)
        }
    }

    "unknown contexts are left out, wildcards count for LIST only, an unknown export is an error" {
        client().use { client ->
            client.ask(Option.STRUCTURED_REPLY)

            fun contexts(option: Int, name: String, vararg queries: String) =
                types(client.ask(option, MetaContextOption(name, queries.toList()).encode()))
            val list = Option.LIST_META_CONTEXT
            val set = Option.SET_META_CONTEXT
            contexts(list, "disk") shouldContainExactly listOf(Rep.META_CONTEXT, Rep.ACK)
            contexts(list, "disk", "base:") shouldContainExactly listOf(Rep.META_CONTEXT, Rep.ACK)
            contexts(list, "disk", "qemu:dirty-bitmap:x") shouldContainExactly listOf(Rep.ACK)
            contexts(set, "disk") shouldContainExactly listOf(Rep.ACK)
            contexts(set, "disk", "base:", "x-y:z", "base:other") shouldContainExactly listOf(Rep.ACK)
            contexts(set, "disk", "x-y:z", "base:allocation") shouldContainExactly listOf(Rep.META_CONTEXT, Rep.ACK)
            contexts(set, "nothing", "base:allocation") shouldContainExactly listOf(Rep.ERR_UNKNOWN)
        }
    }

    "a context selected for another export, or taken back, does not count" {
        for (last in listOf(
            MetaContextOption("ro", listOf("base:allocation")),
            MetaContextOption("disk", emptyList()),
        )) {
            client().use { client ->
                client.ask(Option.STRUCTURED_REPLY)
                client.ask(Option.SET_META_CONTEXT, MetaContextOption("disk", listOf("base:allocation")).encode())
                client.ask(Option.SET_META_CONTEXT, last.encode())
                client.ask(Option.GO, GoOption("disk", emptyList()).encode())
                client.request(Nbd.Command.BLOCK_STATUS, 0, 4096)
                client.chunk().errno shouldBe Nbd.Errno.EINVAL
            }
        }
    }

    "client flags that were not offered, and a wrong option magic, hang up" {
        client(flags = 4).use { it.isHungUp() shouldBe true }
        client().use { client ->
            client.send(ByteArray(16) { 1 })
            client.isHungUp() shouldBe true
        }
    }

    "a client that haggles for ever is sent away" {
        client().use { client ->
            repeat(ServerHandshake.MAX_OPTIONS) { types(client.ask(99)) shouldContainExactly listOf(Rep.ERR_UNSUP) }
            client.isHungUp() shouldBe true
        }
    }
})
