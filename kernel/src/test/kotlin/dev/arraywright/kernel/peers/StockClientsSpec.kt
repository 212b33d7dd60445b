package dev.arraywright.kernel.peers

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.testing.Peer
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.time.Duration
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

class StockClientsSpec : StringSpec({
    "nbdinfo tells the array's size, and its map covers all of it".config(enabledOrReasonIf = needs("nbdinfo")) {
        Exported.of(tempdir()).use { exported ->
            val info = Json.parseToJsonElement(peer("nbdinfo", "--json", exported.uri)).jsonObject
            val export = info.getValue("exports").jsonArray.single().jsonObject
            export.getValue("export-size").jsonPrimitive.long shouldBe exported.array.size
            export.getValue("can_multi_conn").jsonPrimitive.content shouldBe "true"
            export.getValue("can_fua").jsonPrimitive.content shouldBe "true"
            val map = Json.parseToJsonElement(peer("nbdinfo", "--map", "--json", exported.uri)).jsonArray
            map.sumOf { it.jsonObject.getValue("length").jsonPrimitive.long } shouldBe exported.array.size
        }
    }

    "nbdcopy brings an image in and out, byte for byte".config(enabledOrReasonIf = needs("nbdcopy", "cmp")) {
        val dir = tempdir()
        Exported.of(tempdir()).use { exported ->
            val image = File(dir, "in.img")
            val back = File(dir, "out.img")
            image.fillWith(exported.array.size, seed = 7)
            peer("nbdcopy", "--flush", image.path, exported.uri)
            exported.array.fail("1")
            peer("nbdcopy", exported.uri, back.path)
            peer("cmp", image.path, back.path)
        }
    }

    "qemu-img converts onto it and finds it identical".config(enabledOrReasonIf = needs("qemu-img")) {
        val dir = tempdir()
        Exported.of(tempdir()).use { exported ->
            val image = File(dir, "in.img")
            image.fillWith(exported.array.size, seed = 8)
            peer("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image.path, exported.uri)
            peer("qemu-img", "compare", "-f", "raw", "-F", "raw", image.path, exported.uri) shouldContain "identical"
        }
    }

    "qemu-io reads its patterns back, also unaligned, discarded and degraded".config(
        enabledOrReasonIf = needs("qemu-io"),
    ) {
        Exported.of(tempdir()).use { exported ->
            val written = peer(
                "qemu-io",
                "-f",
                "raw",
                "-c",
                "write -P 0x5a 0 1M",
                "-c",
                "write -P 0xa5 777 1234567",
                "-c",
                "write -z 2M 512k",
                "-c",
                "flush",
                "-c",
                "read -P 0x5a 0 777",
                "-c",
                "read -P 0xa5 777 1234567",
                "-c",
                "read -P 0 2M 512k",
                "-c",
                "write -P 0x11 4M 64k",
                "-c",
                "discard 8M 4M",
                exported.uri,
            )
            written.lines().none { "verification failed" in it } shouldBe true
            exported.array.fail("0")
            exported.array.fail("4")
            val read = peer(
                "qemu-io",
                "-f",
                "raw",
                "-c",
                "read -P 0x5a 0 777",
                "-c",
                "read -P 0xa5 777 1234567",
                "-c",
                "read -P 0x11 4M 64k",
                exported.uri,
            )
            read.lines().none { "verification failed" in it } shouldBe true
        }
    }

    "fio verifies 20 s of random writes on a healthy array".config(enabledOrReasonIf = needs("fio")) {
        Exported.of(tempdir()).use { exported -> fio(exported.uri) }
    }

    "fio verifies 20 s of random writes while a member fails half way".config(enabledOrReasonIf = needs("fio")) {
        Exported.of(tempdir()).use { exported ->
            coroutineScope {
                val load = async(Dispatchers.IO) { fio(exported.uri) }
                exported.array.status.first { it.dirty }
                delay(HALF_WAY)
                exported.array.fail("2")
                load.await()
            }
            exported.array.status.value.health shouldBe ArrayHealth.DEGRADED
        }
    }

    "RAID-0 takes a chunk that is no power of two, as md does".config(enabledOrReasonIf = needs("mdadm")) {
        val members = tempdir().let { dir -> (0..2).map { "${dir.path}/m$it.img" } }
        val data = Random(12).nextBytes(5_000_000)
        ArraywrightKernel.start().use { kernel ->
            val spec = ArraySpec("odd", RaidLevel.RAID0, members, chunk = 12 * 1024, createFilesOf = 8L shl 20)
            kernel.createArray(spec).write(ByteBuffer.wrap(data), 4321)
        }
        peer("mdadm", "--examine", members[1]) shouldContain "Chunk Size : 12K"
        ArraywrightKernel.start().use { kernel ->
            val back = ByteBuffer.allocate(data.size)
            kernel.assembleArray(members).read(back, 4321)
            back.array() shouldBe data
        }
    }

    "an ext4 image is clean after two members are gone".config(
        enabledOrReasonIf = needs("mkfs.ext4", "e2fsck", "nbdcopy"),
    ) {
        val dir = tempdir()
        val tree = File(dir, "tree").apply { mkdirs() }
        val random = Random(4)
        for (i in 0 until 40) File(tree, "file$i").writeBytes(random.nextBytes(random.nextInt(1, 2_000_000)))
        Exported.of(tempdir()).use { exported ->
            val image = File(dir, "fs.img")
            RandomAccessFile(image, "rw").use { it.setLength(exported.array.size) }
            peer("mkfs.ext4", "-q", "-d", tree.path, image.path)
            peer("nbdcopy", "--flush", image.path, exported.uri)
            exported.array.fail("1")
            exported.array.fail("3")
            val back = File(dir, "back.img")
            peer("nbdcopy", exported.uri, back.path)
            peer("e2fsck", "-fn", back.path)
            peer("cmp", image.path, back.path)
        }
    }
})

/** Of the 20 s that fio writes. */
private val HALF_WAY = 10.seconds

private fun fio(uri: String) {
    val outcome = Peer.run(
        Duration.ofMinutes(3),
        "fio",
        "--name=verify",
        "--ioengine=nbd",
        "--uri=$uri",
        "--rw=randwrite",
        "--bs=4k",
        "--size=64M",
        "--verify=crc32c",
        "--verify_fatal=1",
        "--verify_state_save=0",
        "--iodepth=16",
        "--time_based",
        "--runtime=20",
        "--randrepeat=1",
    ).orFail()
    outcome.stdout() shouldContain "err= 0"
}

private fun File.fillWith(size: Long, seed: Int) {
    val random = Random(seed)
    outputStream().buffered().use { out ->
        var left = size
        while (left > 0) {
            val count = minOf(left, 1L shl 20).toInt()
            out.write(random.nextBytes(count))
            left -= count
        }
    }
}
