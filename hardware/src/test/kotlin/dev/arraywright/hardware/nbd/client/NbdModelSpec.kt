package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.server.NbdEndpoint
import dev.arraywright.hardware.nbd.server.NbdExport
import dev.arraywright.hardware.nbd.server.NbdLimits
import dev.arraywright.hardware.nbd.server.NbdServer
import dev.arraywright.spi.device.StorageAddress
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.random.Random

/** Our client against our server, with many operations at once, compared with an array of bytes. */
class NbdModelSpec : StringSpec({
    "random operations at once do what they would on an array of bytes, for blocks of any size" {
        for (seed in 1L..25L) withClue("seed $seed") { runModel(Random(seed)) }
    }
})

private fun runModel(random: Random) {
    val block = 1 shl random.nextInt(0, 13)
    val buffers = CountingBuffers(1L shl 20)
    val limits = NbdLimits(requests = random.nextInt(1, 20), maxPayload = 1 shl 16, connectionBytes = 1 shl 17)
    NbdServer.start(NbdEndpoint.Tcp(port = 0), limits, buffers).use { server ->
        server.export(NbdExport("disk", StrictMemory(1L shl 19, block)))
        val address = StorageAddress.Nbd("127.0.0.1", server.port, "disk")
        val options = NbdClientOptions(inFlight = random.nextInt(1, 40))
        NbdDevice.open(address, options = options).use { device ->
            device.info().logicalBlockSize() shouldBe block
            device.info().size() shouldBe (1L shl 19)
            Model(device, random).run()
        }
    }
    buffers.inUse() shouldBe 0
}

private class Model(private val device: NbdDevice, private val random: Random) {
    private val block = device.info().logicalBlockSize()
    private val expected = ByteArray(device.info().size().toInt())
    private val running = ArrayList<CompletableFuture<*>>()
    private val checks = ArrayList<() -> Unit>()
    private val touched = ArrayList<IntRange>()

    fun run() {
        repeat(300) {
            val length = (
                if (random.nextInt(
                        10,
                    ) == 0
                )
                    random.nextInt(1 shl 18)
                else
                    random.nextInt(1 shl 13)
            ) / block * block
            val offset = random.nextInt((expected.size - length) / block + 1) * block
            // Operations that overlap with one under way have no defined order.
            if (touched.any { it.first < offset + length && offset <= it.last }) settle()
            touched += offset until offset + length
            step(offset, length)
            if (random.nextInt(40) == 0) settle()
        }
        settle()
        val all = ByteBuffer.allocate(expected.size)
        device.read(all, 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
        all.array() shouldBe expected
    }

    private fun step(offset: Int, length: Int) {
        when (random.nextInt(10)) {
            in 0..3 -> {
                val data = random.nextBytes(length)
                data.copyInto(expected, offset)
                start { device.write(ByteBuffer.wrap(data), offset.toLong()) }
            }
            in 4..6 -> {
                val target = ByteBuffer.allocateDirect(length + 16).position(8).limit(8 + length)
                start { device.read(target, offset.toLong()) }
                val want = expected.copyOfRange(offset, offset + length)
                checks += {
                    val got = ByteArray(length + 16)
                    target.duplicate().clear().get(got)
                    got shouldBe ByteArray(8) + want + ByteArray(8)
                }
            }
            7 -> {
                expected.fill(0, offset, offset + length)
                start { device.writeZeroes(offset.toLong(), length.toLong()) }
            }
            8 -> start { device.flush() }
            else -> {
                settle()
                val extents = device.allocation(
                    offset.toLong(),
                    length.toLong(),
                ).toCompletableFuture().get(30, TimeUnit.SECONDS)
                var at = offset.toLong()
                for (extent in extents) {
                    extent.offset shouldBe at
                    if (extent.hole) (at until extent.end()).all { expected[it.toInt()] == 0.toByte() } shouldBe true
                    at = extent.end()
                }
                at shouldBe offset.toLong() + length
            }
        }
    }

    private fun start(operation: () -> java.util.concurrent.CompletionStage<Void>) {
        running += operation().toCompletableFuture()
    }

    private fun settle() {
        running.forEach { it.get(30, TimeUnit.SECONDS) }
        checks.forEach { it() }
        running.clear()
        checks.clear()
        touched.clear()
    }
}
