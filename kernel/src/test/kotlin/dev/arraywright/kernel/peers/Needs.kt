package dev.arraywright.kernel.peers

import dev.arraywright.spi.testing.Peers
import io.kotest.core.test.Enabled
import io.kotest.core.test.EnabledOrReasonIf

/** Runs a spec only where these programs are; elsewhere it is skipped with the reason, or fails where peers are required. */
internal fun needs(vararg programs: String): EnabledOrReasonIf = {
    Peers.missing(*programs)?.let { reason -> Enabled.disabled(reason) } ?: Enabled.enabled
}
