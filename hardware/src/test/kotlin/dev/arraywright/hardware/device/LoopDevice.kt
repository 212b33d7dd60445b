package dev.arraywright.hardware.device

import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.core.test.Enabled
import java.nio.file.Path
import java.time.Duration

/** A loop device over a file, detached by [close]. */
internal class LoopDevice(file: Path, vararg options: String) : AutoCloseable {
    val path: String =
        run("losetup", "--find", "--show", *options, file.toString()).stdout().trim()

    override fun close() {
        run("losetup", "--detach", path)
    }
}

internal fun run(vararg command: String): Peer.Outcome = Peer.run(Duration.ofSeconds(30), *command).orFail()

/** For `config(enabledOrReasonIf = needs("losetup"))`: skips a spec by name where a peer is missing. */
internal fun needs(vararg peers: String): (io.kotest.core.test.TestCase) -> Enabled =
    { Peers.missing(*peers)?.let { Enabled.disabled(it) } ?: Enabled.enabled }
