package dev.arraywright.admin.cli.machine

import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.machine.KernelSurvey
import dev.arraywright.admin.control.machine.Surveying
import dev.arraywright.admin.control.machine.Users
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions

/**
 * What asks the serving process of the machine, which knows its past; where none serves, it has a short look of its own.
 */
internal abstract class MachineCommand(name: String, summary: String, vararg examples: String) :
    Command(name, summary, *examples) {
    private val local by option().flag().help("look in this process even if one is serving")

    protected suspend fun <T> survey(block: suspend (Surveying) -> T): T {
        val holders = Holders(places.runtime)
        val server = if (local) null else holders.serving()
        if (server != null) return server.use { block(it.machine) }
        return withKernel(KernelOptions()) { kernel -> block(KernelSurvey(kernel) { users(holders) }) }
    }

    /** A process that ends this moment has no devices any more. */
    private suspend fun users(holders: Holders): Users = holders.all().fold(Users.NONE) { users, control ->
        control.use {
            try {
                users + Users.of(it.arrays(), it.protection.status())
            } catch (_: KernelError) {
                users
            }
        }
    }
}
