package dev.arraywright.admin.cli.config

import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.types.path
import dev.arraywright.admin.cli.protect.Family
import dev.arraywright.admin.cli.protect.running
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.config.ConfigurationView
import dev.arraywright.admin.control.config.ReloadView
import dev.arraywright.kernel.config.Configuration

/** `arraywright config` */
internal fun config() = Family(
    "config",
    "The configuration file; a process that serves takes in what is edited by itself.",
    ConfigCheck(),
    ConfigShow(),
    ConfigReload(),
    ConfigSchema(),
)

private class ConfigCheck :
    Command(
        "check",
        "Tell whether a configuration file could be used; nothing is started or changed.",
        "arraywright config check /etc/arraywright.json",
    ) {
    private val file by argument().path().help("the file")

    override suspend fun execute() {
        Configuration.load(file).check("$file")
        show(mapOf("sound" to "$file")) { "$file is sound" }
    }
}

private class ConfigShow :
    Command(
        "show",
        "Show the configuration that counts in the serving process, and why its file does not, if so.",
        "arraywright config show",
    ) {
    override suspend fun execute() {
        val view = Holders(places.runtime).running().use { it.configuration.configuration() }
        show(view, ::text)
        if (view.rejected != null) throw ProgramResult(1)
    }

    private fun text(view: ConfigurationView): String {
        val head = view.rejected?.let { "// the file cannot be used: ${it.detail}\n" }.orEmpty()
        return "// ${view.file}\n$head${view.configuration.print().trimEnd()}"
    }
}

private class ConfigReload :
    Command(
        "reload",
        "Have the serving process take in at once what was edited in its file, or say why it cannot be used.",
        "arraywright config reload",
    ) {
    override suspend fun execute() {
        val view = Holders(places.runtime).running().use { it.configuration.reload() }
        show(view, ::text)
        view.failures.forEach { report(it.toError()) }
        if (view.failures.isNotEmpty()) throw ProgramResult(1)
    }

    private fun text(view: ReloadView): String =
        if (view.changed)
            (listOf("${view.file} counts") + view.notes).joinToString("\n")
        else
            "${view.file} counts already"
}

private class ConfigSchema :
    Command(
        "schema",
        "Print the JSON schema of the configuration file, for editors and other checkers.",
        "arraywright config schema > arraywright.schema.json",
    ) {
    override suspend fun execute() {
        echo(Configuration.schema().trimEnd())
    }
}
