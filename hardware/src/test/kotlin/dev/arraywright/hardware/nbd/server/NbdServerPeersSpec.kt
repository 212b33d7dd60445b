package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.needs
import dev.arraywright.hardware.nbd.peer
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createTempDirectory
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.random.Random

class NbdServerPeersSpec : StringSpec({
    val directory = createTempDirectory("nbd-peers")
    val socket = directory.resolve("s")
    val uri = "nbd+unix:///disk?socket=$socket"
    val buffers = CountingBuffers()
    lateinit var device: StrictMemory
    lateinit var server: NbdServer

    beforeEach {
        device = StrictMemory(16L shl 20)
        server = NbdServer.start(NbdEndpoint.Unix(socket), NbdLimits(), buffers)
        server.export(NbdExport("disk", device, "a disk in memory", multiConn = true))
    }
    afterEach {
        server.close()
        buffers.inUse() shouldBe 0
        Files.exists(socket) shouldBe false
    }
    afterSpec { directory.toFile().deleteRecursively() }

    fun image(name: String, seed: Int): Path {
        val bytes = Random(seed).nextBytes(16 shl 20)
        bytes.fill(0, 3 shl 20, 9 shl 20)
        return directory.resolve(name).also { it.writeBytes(bytes) }
    }

    "nbdcopy brings an image in and out again, byte for byte".config(enabledOrReasonIf = needs("nbdcopy")) {
        val source = image("in.img", 1)
        peer("nbdcopy", "--flush", "$source", uri)
        device.content() shouldBe source.readBytes()
        (device.flushes.get() > 0) shouldBe true
        val copy = directory.resolve("out.img")
        peer("nbdcopy", uri, "$copy")
        copy.readBytes() shouldBe source.readBytes()
    }

    "nbdinfo shows size, description, block sizes and what the export can do".config(
        enabledOrReasonIf = needs("nbdinfo"),
    ) {
        val shown = peer("nbdinfo", "--json", uri).filterNot { it.isWhitespace() }
        shown shouldContain "\"export-size\":16777216"
        shown shouldContain "\"description\":\"adiskinmemory\""
        shown shouldContain "\"structured\":true"
        shown shouldContain "\"block_size_minimum\":1"
        shown shouldContain "\"block_size_preferred\":4096"
        shown shouldContain "\"contexts\":[\"base:allocation\"]"
        listOf("can_flush", "can_fua", "can_trim", "can_zero", "can_df", "can_multi_conn", "can_fast_zero").forEach {
            shown shouldContain "\"$it\":true"
        }
        shown shouldContain "\"is_read_only\":false"
        shown shouldContain "\"can_cache\":false"
    }

    "nbdinfo lists the exports, and maps holes and data".config(enabledOrReasonIf = needs("nbdinfo")) {
        server.export(NbdExport("other", StrictMemory(1L shl 20, block = 4096), "another", readOnly = true))
        val list = peer("nbdinfo", "--list", "--json", "nbd+unix:///?socket=$socket").filterNot { it.isWhitespace() }
        list shouldContain "\"export-name\":\"disk\""
        list shouldContain "\"export-name\":\"other\",\"description\":\"another\""
        list shouldContain "\"block_size_minimum\":4096"
        device.write(ByteBuffer.wrap(ByteArray(8192) { 1 }), 1L shl 20)
        val map = peer("nbdinfo", "--map", uri).lines().filter {
            it.isNotBlank()
        }.map { it.trim().split(Regex("\\s+")).take(3) }
        map shouldBe listOf(
            listOf("0", "1048576", "3"),
            listOf("1048576", "8192", "0"),
            listOf("1056768", "${(16 shl 20) - 1056768}", "3"),
        )
    }

    "nbdcopy over TCP with several connections".config(enabledOrReasonIf = needs("nbdcopy")) {
        val source = image("tcp.img", 2)
        NbdServer.start(NbdEndpoint.Tcp(port = 0), NbdLimits(), buffers).use { tcp ->
            tcp.export(NbdExport("disk", device, multiConn = true))
            peer("nbdcopy", "--connections=4", "$source", "nbd://127.0.0.1:${tcp.port}/disk")
        }
        device.content() shouldBe source.readBytes()
    }

    "qemu-img converts an image in, compares it, and converts it out".config(enabledOrReasonIf = needs("qemu-img")) {
        val source = image("qemu.img", 3)
        peer("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", "$source", uri)
        device.content() shouldBe source.readBytes()
        peer("qemu-img", "compare", "-f", "raw", "-F", "raw", "$source", uri) shouldContain "identical"
        val copy = directory.resolve("qemu-out.qcow2")
        peer("qemu-img", "convert", "-f", "raw", "-O", "qcow2", uri, "$copy")
        peer("qemu-img", "compare", "-f", "raw", "-F", "qcow2", "$source", "$copy") shouldContain "identical"
    }

    "qemu-io writes, zeroes, discards, flushes and finds its patterns".config(enabledOrReasonIf = needs("qemu-io")) {
        val commands = listOf(
            "write -P 0xaa 0 1M",
            "write -f -P 0xbb 1000 513",
            "write -z 64k 64k",
            "write -z -u 256k 64k",
            "discard 512k 64k",
            "aio_write -P 0xcc 2M 8M",
            "aio_flush",
            "flush",
            "read -P 0xaa 0 1000",
            "read -P 0xbb 1000 513",
            "read -P 0xaa 1513 60k",
            "read -P 0 64k 64k",
            "read -P 0 256k 64k",
            "read -P 0xcc 2M 8M",
        )
        val shown = peer("qemu-io", "-f", "raw", *commands.flatMap { listOf("-c", it) }.toTypedArray(), uri)
        withClue(shown) { listOf("failed", "error").none { it in shown.lowercase() } shouldBe true }
        (device.flushes.get() > 0) shouldBe true
    }

    "fio verifies random writes at depth 16".config(enabledOrReasonIf = needs("fio")) {
        peer(
            "fio",
            "--name=verify",
            "--ioengine=nbd",
            "--uri=$uri",
            "--rw=randwrite",
            "--verify=crc32c",
            "--iodepth=16",
            "--bsrange=4k-64k",
            "--blockalign=4k",
            "--size=16M",
            "--loops=4",
            "--do_verify=1",
            "--verify_fatal=1",
            "--verify_state_save=0",
            "--runtime=10",
            "--output-format=json",
            "--aux-path=$directory",
        ) shouldContain "\"error\" : 0"
        (server.statistics("disk")!!.writes > 100) shouldBe true
        server.statistics("disk")!!.errors shouldBe 0
    }
})
