package dev.arraywright.admin.console

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.groups.OptionGroup
import com.github.ajalt.clikt.parameters.groups.provideDelegate
import com.github.ajalt.clikt.parameters.options.counted
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import dev.arraywright.admin.Logging
import dev.arraywright.admin.control.Places
import dev.arraywright.admin.control.Problem
import kotlinx.coroutines.CancellationException
import kotlinx.serialization.json.Json

/** What every subcommand takes. */
internal class CommonOptions : OptionGroup("Common options") {
    val json: Boolean by option("-o", "--output", metavar = "FORMAT", help = "text (the default) or json")
        .choice("text" to false, "json" to true).default(false)
    val verbose: Int by option("-v", "--verbose", help = "log what happens; twice: everything").counted(limit = 2)
    val debug: Boolean by option("--debug", help = "show the stack trace of a failure").flag()
}

/**
 * A subcommand: [execute] does its work, and a failure in it becomes two lines on standard error, or a problem document
 * with `-o json`, and an exit code: 1, unless [failure] says otherwise. [examples] end its help.
 */
internal abstract class Command(
    name: String,
    private val summary: String,
    private vararg val examples: String,
) : SuspendingCliktCommand(name) {
    protected val common: CommonOptions by CommonOptions()

    /** The exit code of a failure. */
    protected open val failure: Int get() = 1

    val printsJson: Boolean get() = common.json

    protected val places: Places get() = Places(currentContext.readEnvvar)

    protected abstract suspend fun execute()

    override fun help(context: Context): String = summary

    override fun helpEpilog(context: Context): String =
        examples.joinToString("", prefix = "Examples:") { "$NEW_LINE$it" }

    final override suspend fun run() {
        Logging.verbosity(common.verbose)
        try {
            execute()
        } catch (e: CancellationException) {
            throw e
        } catch (e: CliktError) {
            throw e
        } catch (e: Exception) {
            report(e)
            throw ProgramResult(failure)
        }
    }

    /** Tells of a failure without ending the command. */
    protected fun report(e: Exception) {
        val problem = Problem.of(e)
        if (common.json) {
            echo(json.encodeToString(problem), err = true)
        } else {
            echo(
                "arraywright: ${listOf(problem.title, problem.detail).filter {
                    it.isNotBlank()
                }.joinToString(": ")}",
                err = true,
            )
            if (problem.remedy.isNotBlank()) echo("  to do: ${problem.remedy}", err = true)
        }
        if (common.debug) {
            if (!common.json && problem.details.isNotBlank()) echo(problem.details, err = true)
            echo(e.stackTraceToString(), err = true)
        }
    }

    /** One JSON document on a line with `-o json`, else [text]. */
    protected inline fun <reified T> show(value: T, text: (T) -> String) {
        echo(if (common.json) json.encodeToString(value) else text(value))
    }

    /** A line for people only. */
    protected fun say(line: String) {
        if (!common.json) echo(line)
    }

    protected companion object {
        val json: Json = Json { encodeDefaults = true }

        /** Clikt's manual line break. */
        private const val NEW_LINE = "\u0085"
    }
}
