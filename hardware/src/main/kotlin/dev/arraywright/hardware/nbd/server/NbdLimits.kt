package dev.arraywright.hardware.nbd.server

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * What clients can make a server hold or wait for.
 *
 * @property connections clients at once; further ones are closed at once
 * @property requests requests of one connection being worked on; past it the socket is not read
 * @property connectionBytes payload in memory for one connection, likewise
 * @property totalBytes payload in memory for all of them; at most half of the buffer pool is taken, so that devices
 *   that draw on the same pool can always finish
 * @property maxPayload longest READ or WRITE, advertised to clients
 * @property handshake from the first byte to the transmission phase
 * @property stall how long half a message from a client, or a MiB to it, may take; a payload gets a second more
 *   for each 256 KiB
 * @property idle how long a client may stay silent between requests
 * @property grace how long requests in flight may take to finish at close, before they are answered with ESHUTDOWN
 */
public data class NbdLimits(
    val connections: Int = 64,
    val requests: Int = 64,
    val connectionBytes: Long = 32L shl 20,
    val totalBytes: Long = 256L shl 20,
    val maxPayload: Int = 32 shl 20,
    val handshake: Duration = 15.seconds,
    val stall: Duration = 30.seconds,
    val idle: Duration = Duration.INFINITE,
    val grace: Duration = 5.seconds,
) {
    init {
        require(connections > 0 && requests > 0) { "no connection or request is allowed by $this" }
        require(maxPayload >= MIN_PAYLOAD) { "a payload of $maxPayload is below $MIN_PAYLOAD" }
        require(connectionBytes >= MIN_PAYLOAD && totalBytes >= MIN_PAYLOAD) { "bytes below $MIN_PAYLOAD in $this" }
        require(handshake.isPositive() && stall.isPositive() && idle.isPositive()) { "a time of $this is not positive" }
        require(!grace.isNegative()) { "a negative time to close in $this" }
    }

    public companion object {
        /** Every client may read this much at once, so no limit on payloads lies below it. */
        public const val MIN_PAYLOAD: Int = 1 shl 16
    }
}
