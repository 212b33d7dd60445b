package dev.arraywright.kernel.peers

import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.future.await
import org.koin.dsl.koinApplication
import java.io.File
import java.nio.ByteBuffer
import kotlin.concurrent.thread
import kotlin.random.Random

/**
 * The promise of a flush, with a real process that dies: fio loads one half of the array, and the spec itself writes
 * numbered blocks to the other half and flushes now and then. Whatever a flush covered must be there after the kill.
 */
class KillSpec : StringSpec({
    "ten times killed in the middle of a verified load, nothing flushed is lost".config(
        enabledOrReasonIf = needs("fio"),
    ) {
        val dir = tempdir()
        val ledger = Ledger(Random(2026))
        var resyncs = 0
        repeat(ROUNDS) { round ->
            ServingProcess.start(dir).use { serving ->
                val load = fio(dir, serving.uri, round)
                try {
                    ledger.writeAndKill(serving, atWrite = 100 + ledger.random.nextInt(400))
                } finally {
                    load.destroyForcibly().waitFor()
                }
            }
            ServingProcess.start(dir).use { serving ->
                if (serving.health.endsWith("resync")) resyncs++
                withClue("round $round") { ledger.verify(serving.uri) }
                serving.kill()
            }
        }
        withClue("a kill under load leaves the array dirty, and assembling it resyncs") {
            resyncs shouldBeGreaterThan 0
        }
        ServingProcess.start(dir).use { it.stop() }
        ServingProcess.start(dir).use { serving ->
            serving.health shouldContain "OPTIMAL"
            ledger.verify(serving.uri)
            serving.stop()
        }
    }
})

private const val ROUNDS = 10
private const val BLOCK = 4096
private const val BLOCKS = 4096
private const val FROM = 64L shl 20

/** What the spec wrote to each block, and which of it a flush has covered. */
private class Ledger(val random: Random) {
    private val flushed = IntArray(BLOCKS)
    private val written = IntArray(BLOCKS)
    private var generation = 0

    suspend fun writeAndKill(serving: ServingProcess, atWrite: Int) = withDevice(serving.uri) { device ->
        try {
            var writes = 0
            while (true) {
                if (++writes == atWrite) thread { serving.kill() }
                val block = random.nextInt(BLOCKS)
                written[block] = ++generation
                device.write(content(block, generation), at(block)).await()
                if (random.nextInt(16) == 0) {
                    device.flush().await()
                    written.copyInto(flushed)
                }
            }
        } catch (_: DeviceIoException) {
            // The server is dead, as it was meant to be.
        }
    }

    /** A block holds what the last flush covered, or a write after that; never anything older, or a mixture. */
    suspend fun verify(uri: String) = withDevice(uri) { device ->
        for (block in 0 until BLOCKS) {
            if (written[block] == 0) continue
            val read = ByteBuffer.allocateDirect(BLOCK)
            device.read(read, at(block)).await()
            val found = read.getInt(0)
            val candidates = setOf(flushed[block], written[block])
            withClue("block $block: flushed ${flushed[block]}, written ${written[block]}, found $found") {
                (found in flushed[block]..written[block]) shouldBe true
                if (found != 0) read shouldBe content(block, found)
                if (flushed[block] == written[block]) candidates shouldBe setOf(found)
            }
            // The next round builds on what was found, as a file system's replay would.
            written[block] = found
            flushed[block] = found
        }
    }

    private fun content(block: Int, generation: Int): ByteBuffer {
        val bytes = Random(generation * 31L + block).nextBytes(BLOCK)
        return ByteBuffer.allocateDirect(BLOCK).put(bytes).putInt(0, generation).flip()
    }

    private fun at(block: Int): Long = FROM + block.toLong() * BLOCK

    private suspend fun withDevice(uri: String, action: suspend (AsyncBlockDevice) -> Unit) {
        val application = koinApplication { modules(dev.arraywright.hardware.hardwareModule()) }
        try {
            application.koin.get<DeviceOpener>().open(StorageAddress.parse(uri), OpenOptions.DEFAULT).use { action(it) }
        } finally {
            application.close()
        }
    }
}

private fun fio(dir: File, uri: String, round: Int): Process =
    ProcessBuilder(
        Peers.find("fio").orElseThrow().toString(),
        "--name=load",
        "--ioengine=nbd",
        "--uri=$uri",
        "--rw=randrw",
        "--bsrange=4k-64k",
        "--size=60M",
        "--verify=crc32c",
        "--verify_fatal=1",
        "--verify_state_save=0",
        "--iodepth=16",
        "--fsync=32",
        "--randseed=$round",
        "--time_based",
        "--runtime=60",
    ).redirectErrorStream(true).redirectOutput(File(dir, "fio.log")).start()
