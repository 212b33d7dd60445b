package dev.arraywright.admin.control.config

import dev.arraywright.admin.control.Problem
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.config.file.Reloaded

/** The [file] that [kernel] is kept by, in this process, if there is one. */
internal class KernelConfiguring(
    private val kernel: ArraywrightKernel,
    private val file: ConfigurationFile?,
) : Configuring {
    override suspend fun configuration(): ConfigurationView = kept("show the configuration").let {
        ConfigurationView("${it.path}", it.current.value, it.rejected.value?.let(Problem::of))
    }

    override suspend fun reload(): ReloadView {
        val file = kept("reload the configuration")
        return when (val outcome = file.reload(kernel)) {
            null -> ReloadView("${file.path}", changed = false)
            is Reloaded.Rejected -> throw outcome.error
            is Reloaded.Changed ->
                ReloadView("${file.path}", true, outcome.outcome.notes, outcome.outcome.failures.map(Problem::of))
        }
    }

    private fun kept(what: String) = file ?: throw KernelError.NotFound(
        "cannot $what",
        "this process is not kept by a file",
        "ask one that arraywright serve started",
    )
}
