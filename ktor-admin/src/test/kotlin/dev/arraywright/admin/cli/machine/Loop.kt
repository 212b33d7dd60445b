package dev.arraywright.admin.cli.machine

import dev.arraywright.spi.testing.Peer
import java.io.RandomAccessFile
import java.nio.file.Path
import java.time.Duration

/** A loop device over a new file of [mebibytes]: any free one, or at [wanted]. Gone when closed. */
internal class Loop(file: Path, mebibytes: Long = 16, wanted: String? = null) : AutoCloseable {
    val path: String

    init {
        RandomAccessFile("$file", "rw").use { it.setLength(mebibytes shl 20) }
        path = wanted ?: run("losetup", "--find").trim()
        run("losetup", path, "$file")
    }

    override fun close() {
        run("losetup", "--detach", path)
    }

    private fun run(vararg command: String) = Peer.run(Duration.ofSeconds(30), *command).orFail().stdout()
}
