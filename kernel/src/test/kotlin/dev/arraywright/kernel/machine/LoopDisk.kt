package dev.arraywright.kernel.machine

import dev.arraywright.spi.testing.Peer
import java.io.File
import java.io.RandomAccessFile
import java.time.Duration

/** A loop device that can be made to answer no more: its file is cut off under it. */
internal class LoopDisk(private val file: File, private val size: Long = 16L shl 20) : AutoCloseable {
    val path: String
    val address: String get() = "block:$path"

    init {
        whole()
        path = run("losetup", "--find", "--show", "--direct-io=on", "$file").trim()
    }

    /** Its blocks are gone. */
    fun dead() {
        resize(0)
    }

    /** It answers again. */
    fun whole() {
        resize(size)
    }

    /** It is twice as large. */
    fun grow() {
        resize(2 * size)
        run("losetup", "--set-capacity", path)
    }

    override fun close() {
        run("losetup", "--detach", path)
    }

    private fun resize(length: Long) {
        RandomAccessFile(file, "rw").use { it.setLength(length) }
    }

    private fun run(vararg command: String) = Peer.run(Duration.ofSeconds(30), *command).orFail().stdout()
}
