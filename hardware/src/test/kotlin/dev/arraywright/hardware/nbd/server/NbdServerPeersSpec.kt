package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.needs
import dev.arraywright.hardware.nbd.peer
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
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
})
