package dev.arraywright.admin.cli

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.varargValues
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.follow
import dev.arraywright.admin.control.AssembleRequest
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.MemberChange
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayStatus

/** `arraywright fail`, `remove` and `add`: of a running array, or with `--members` of one that no process holds. */
internal class ChangeMember(private val change: MemberChange, summary: String, vararg examples: String) :
    Command(change.name.lowercase(), summary, *examples) {
    private val array by argument().help("the array's name")
    private val member by argument().help("a path, an address, or a slot number")
    private val members by option("--members", metavar = "MEMBER...").convert { MemberWord.address(it) }
        .varargValues().default(emptyList())
        .help("the members of an array that no process holds: assemble it here, change it, stop it")
    private val force by option().flag().help("with --members: assemble also when dirty and degraded")
    private val noWait by option().flag().help("with --members: leave a rebuild to the next assembly")

    override suspend fun execute() {
        val target = if (member.all(Char::isDigit)) member else MemberWord.address(member)
        val status = if (members.isEmpty()) {
            Holders(places.runtime).of(array) { it.change(array, change, target) }
        } else {
            withKernel { offline(KernelControl(it), target) }
        }
        show(status, DetailText::of)
    }

    private suspend fun offline(control: KernelControl, target: String): ArrayStatus {
        val name = control.assemble(AssembleRequest(members, name = array, force = force)).name
        control.change(name, change, target)
        if (!noWait) follow(control, name)
        val status = control.array(name)
        control.stop(name, forget = false)
        return status
    }
}
