package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.settings
import dev.arraywright.admin.control.Holders

/** `arraywright policy` */
internal fun policy() = Family(
    "policy",
    "How arrays are looked after; a change counts at once, for what runs already too.",
    PolicyShow(),
    PolicySet(),
)

private fun text(policy: Map<String, String>): String {
    val width = policy.keys.maxOfOrNull { it.length } ?: 0
    return policy.entries.joinToString("\n") { (name, value) -> "${name.padEnd(width)} = $value" }
}

private class PolicyShow :
    Command("show", "Show all settings, as the configuration file has them.", "arraywright policy show") {
    override suspend fun execute() {
        show(Holders(places.runtime).running().use { it.protection.policy() }, ::text)
    }
}

private class PolicySet :
    Command(
        "set",
        "Change settings, or none of them if one is wrong.",
        "arraywright policy set rebuildPriority=80 rebuildCeiling=500MiB",
        "arraywright policy set scrubInterval=none",
    ) {
    private val words by argument("NAME=VALUE").multiple(required = true)
        .help("as policy show has them; none where there is to be no value")

    override suspend fun execute() {
        val settings = settings(words)
        show(Holders(places.runtime).running().use { it.protection.setPolicy(settings) }, ::text)
    }
}
