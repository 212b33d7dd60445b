package dev.arraywright.admin.serve

import kotlinx.serialization.Serializable
import java.time.Instant
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/** Where a process that is ready listens; [startMillis] have passed since the process started. */
@Serializable
internal data class Ready(
    val exports: List<String>,
    val health: String? = null,
    val control: String,
    val configuration: String? = null,
    val startMillis: Long,
)

/** How long ago this process started; zero where the platform does not tell. */
internal fun startedAgo(): Duration {
    val start = ProcessHandle.current().info().startInstant().getOrNull() ?: return Duration.ZERO
    return java.time.Duration.between(start, Instant.now()).toKotlinDuration()
}
