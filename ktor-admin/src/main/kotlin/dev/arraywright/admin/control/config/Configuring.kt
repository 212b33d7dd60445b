package dev.arraywright.admin.control.config

import dev.arraywright.admin.control.Problem
import dev.arraywright.kernel.config.Configuration
import kotlinx.serialization.Serializable

/**
 * What an operator does with the configuration file of a process. Every call fails with a
 * [dev.arraywright.kernel.KernelError].
 */
internal interface Configuring {
    suspend fun configuration(): ConfigurationView

    /** Takes in what was edited, without waiting for the process to see it by itself. */
    suspend fun reload(): ReloadView
}

/** The [configuration] that counts, the [file] it is from, and why that is not what counts, if it is not. */
@Serializable
internal data class ConfigurationView(
    val file: String,
    val configuration: Configuration,
    val rejected: Problem? = null,
)

/** What came of a look at the file: whether it was [changed], what does not count yet, and what failed. */
@Serializable
internal data class ReloadView(
    val file: String,
    val changed: Boolean,
    val notes: List<String> = emptyList(),
    val failures: List<Problem> = emptyList(),
)
