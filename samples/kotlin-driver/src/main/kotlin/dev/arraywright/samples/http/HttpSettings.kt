package dev.arraywright.samples.http

import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What the operator sets, checked. */
internal data class HttpSettings(
    val timeout: Duration = 10.seconds,
    val concurrency: Int = 8,
    val writes: Boolean = false,
) {
    companion object {
        fun of(settings: Map<String, String>): HttpSettings {
            val base = HttpSettings()
            val timeout = settings["timeout"]?.let { text ->
                Duration.parseOrNull(text)?.takeIf { it.isPositive() && it.isFinite() }
                    ?: throw refusal("timeout", text, "set a duration above zero, such as 10s")
            }
            val concurrency = settings["concurrency"]?.let { text ->
                text.toIntOrNull()?.takeIf { it in 1..64 } ?: throw refusal("concurrency", text, "set 1 to 64")
            }
            val writes = when (val text = settings["writes"] ?: "never") {
                "never" -> false
                "partial-put" -> true
                else -> throw refusal("writes", text, "set never or partial-put")
            }
            return HttpSettings(timeout ?: base.timeout, concurrency ?: base.concurrency, writes)
        }

        private fun refusal(name: String, value: String, remedy: String) =
            DriverException(Reason.INVALID, "the setting '$name' of the http driver is '$value'", remedy)
    }
}
