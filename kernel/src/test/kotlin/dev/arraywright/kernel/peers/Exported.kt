package dev.arraywright.kernel.peers

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.testing.Peer
import java.io.File
import java.time.Duration

/** An array of files, exported at a free port: what the peers of these specs are pointed at. */
internal class Exported(val kernel: ArraywrightKernel, val array: ArrayHandle, val uri: String) : AutoCloseable {
    override fun close() {
        kernel.close()
    }

    companion object {
        const val MEMBER_SIZE = 96L shl 20

        suspend fun of(dir: File, level: RaidLevel = RaidLevel.RAID6, members: Int = 5): Exported {
            val kernel = ArraywrightKernel.start()
            try {
                val files = (0 until members).map { "file:${dir.path}/m$it.img" }
                val spec =
                    ArraySpec("vault", level, files, chunk = 64 * 1024, createFilesOf = MEMBER_SIZE, assumeClean = true)
                val array = kernel.createArray(spec)
                kernel.listen(NbdConfiguration(port = 0))
                return Exported(kernel, array, kernel.export("vault").uri)
            } catch (e: Throwable) {
                kernel.close()
                throw e
            }
        }
    }
}

/** Runs a peer for at most two minutes; anything but success fails the spec with what it printed. */
internal fun peer(vararg command: String): String = Peer.run(Duration.ofMinutes(2), *command).orFail().stdout()
