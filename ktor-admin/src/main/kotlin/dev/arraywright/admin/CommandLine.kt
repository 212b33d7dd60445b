package dev.arraywright.admin

import com.github.ajalt.clikt.command.parse
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.MultiUsageError
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.context
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.mordant.terminal.Terminal
import dev.arraywright.admin.cli.Arraywright

/** Runs command lines on a [terminal] with an [environment]. */
internal class CommandLine(private val terminal: Terminal, private val environment: (String) -> String?) {
    /** The exit code: 0 done, 1 refused or failed, 2 wrong usage, or what the command says. */
    suspend fun run(args: List<String>): Int {
        val command = Arraywright().context {
            terminal = this@CommandLine.terminal
            readEnvvar = environment
        }
        try {
            command.parse(args)
            return 0
        } catch (e: CliktError) {
            command.echoFormattedHelp(e)
            return if (e is UsageError || e is MultiUsageError) WRONG_USAGE else e.statusCode
        }
    }

    private companion object {
        const val WRONG_USAGE = 2
    }
}
