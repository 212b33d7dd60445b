package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.subcommands
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.Control
import dev.arraywright.admin.control.Holders
import dev.arraywright.kernel.KernelError

/** A command that is nothing without one of its [parts]. */
internal class Family(name: String, private val summary: String, vararg parts: Command) : SuspendingCliktCommand(name) {
    init {
        subcommands(*parts)
    }

    override fun help(context: Context): String = summary

    override suspend fun run(): Unit = Unit
}

/**
 * The process that keeps a configuration running, or one that holds arrays; the caller closes it.
 *
 * @throws KernelError.NotFound if there is none
 */
internal fun Holders.running(): Control = first() ?: throw KernelError.NotFound(
    "there is nothing that looks after arrays",
    "no arraywright process is serving",
    "start one with arraywright serve",
)

/** Does [block] with the process that holds [array], or where that is null, with the one that serves. */
internal suspend fun <T> Holders.with(array: String?, block: suspend (Control) -> T): T =
    if (array == null) running().use { block(it) } else of(array, block)
