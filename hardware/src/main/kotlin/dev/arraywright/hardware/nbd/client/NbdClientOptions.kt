package dev.arraywright.hardware.nbd.client

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How long a remote device may take, and how much it is asked at once.
 *
 * @property connect to reach the server and agree on the export, each time
 * @property request for an answer, from the call on; past it the stage fails with TimedOutException
 * @property reconnect how long to try again after a lost connection, before the device is gone; 0 for not at all
 * @property firstRetry pause before the second attempt to reconnect; doubles up to [lastRetry]
 * @property inFlight requests on the wire at once
 */
public data class NbdClientOptions(
    val connect: Duration = 10.seconds,
    val request: Duration = 30.seconds,
    val reconnect: Duration = 30.seconds,
    val firstRetry: Duration = 50.milliseconds,
    val lastRetry: Duration = 2.seconds,
    val inFlight: Int = 64,
) {
    init {
        require(connect.isPositive() && request.isPositive() && firstRetry.isPositive()) {
            "a time in $this is not positive"
        }
        require(connect.isFinite() && request.isFinite() && reconnect.isFinite()) { "no deadline in $this" }
        require(!reconnect.isNegative() && lastRetry >= firstRetry) { "times in $this make no sense" }
        require(inFlight in 1..1024) { "$inFlight requests at once" }
    }
}
