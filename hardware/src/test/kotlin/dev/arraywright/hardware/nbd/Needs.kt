package dev.arraywright.hardware.nbd

import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.test.Enabled
import io.kotest.core.test.EnabledOrReasonIf
import kotlinx.coroutines.runBlocking
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Skips a spec, with the reason, where one of the programs is missing. */
fun needs(vararg programs: String): EnabledOrReasonIf = {
    Peers.missing(*programs)?.let { reason -> Enabled.disabled(reason) } ?: Enabled.enabled
}

/** Runs a stock program to its end and gives its output; a failure fails the spec. */
fun peer(vararg command: String): String = Peer.run(Duration.ofSeconds(60), *command).orFail().stdout()

/** Waits, with a bound, until a condition that other threads bring about holds. */
fun eventually(condition: () -> Unit) = runBlocking { eventually(20.seconds) { condition() } }
