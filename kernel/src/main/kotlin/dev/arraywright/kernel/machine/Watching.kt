package dev.arraywright.kernel.machine

import dev.arraywright.hardware.health.ArrayLatency
import dev.arraywright.kernel.spare.Protection
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/** What a kernel does by itself as the machine changes, from the start of this to [end]. */
internal class Watching(
    scope: CoroutineScope,
    plugs: Plugs,
    events: MachineEvents?,
    private val latency: ArrayLatency,
    protection: Protection,
    places: Places,
    private val relief: Relief,
) {
    init {
        latency.source = { path -> protection.latency { places.leads(it, path) } }
    }

    private val job = scope.launch {
        launch { plugs.follow() }
        if (events != null) launch { events.tell() }
    }

    /** False if it has not ended [within] that; it is cancelled in any case. */
    suspend fun end(within: Duration): Boolean {
        relief.close()
        latency.source = { null }
        job.cancel()
        return withTimeoutOrNull(within) { job.join() } != null
    }
}
