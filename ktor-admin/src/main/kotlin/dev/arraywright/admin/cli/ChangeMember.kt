package dev.arraywright.admin.cli

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.convert
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.follow
import dev.arraywright.admin.control.AssembleRequest
import dev.arraywright.admin.control.Candidates
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.MemberChange
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ArraywrightKernel

/** `arraywright fail`, `remove` and `add`: of a running array, or with `--members` of one that no process holds. */
internal class ChangeMember(private val change: MemberChange, summary: String, vararg examples: String) :
    Command(change.name.lowercase(), summary, *examples) {
    private val array by argument().help("the array's name")
    private val member by argument().help("a path, an address, or a slot number")
    private val others by argument("MEMBER").convert {
        MemberWord.address(it)
    }.multiple().help("more values of --members")
    private val first by option("--members", metavar = "MEMBER...").convert { MemberWord.address(it) }.multiple()
        .help("the members of an array that no process holds: assemble it here, change it, stop it")
    private val force by option().flag().help("with --members: assemble also when dirty and degraded")
    private val noWait by option().flag().help("with --members: leave a rebuild to the next assembly")

    override suspend fun execute() {
        if (first.isEmpty() && others.isNotEmpty()) {
            throw UsageError(
                "one member at a time; or name the members of an array that no process holds with --members",
            )
        }
        val target = if (member.all(Char::isDigit)) member else MemberWord.address(member)
        val status = if (first.isEmpty()) {
            Holders(places.runtime).of(array) { it.change(array, change, target) }
        } else {
            withKernel { offline(it, target) }
        }
        show(status, DetailText::of)
    }

    private suspend fun offline(kernel: ArraywrightKernel, target: String): ArrayStatus {
        val members = first + others
        val added = if (change == MemberChange.ADD) kernel.examine(target) else null
        Candidates.of(members.map { kernel.examine(it) }).only(null, members).check(change, target, added)
        val control = KernelControl(kernel)
        val name = control.assemble(AssembleRequest(members, name = array, force = force)).name
        control.change(name, change, target)
        if (!noWait) follow(control, name)
        val status = control.array(name)
        control.stop(name, forget = false)
        return status
    }
}
