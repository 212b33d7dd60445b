package dev.arraywright.admin.cli

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.follow
import dev.arraywright.admin.control.AssembleRequest
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayStatus

/** `arraywright assemble` */
internal class Assemble :
    Command(
        "assemble",
        "Assemble an array. A serving process keeps it running; without one, what resync or rebuild it needs is " +
            "finished here, and it is stopped clean.",
        "arraywright assemble vault m0.img m1.img m2.img m3.img m4.img",
        "arraywright assemble --scan /srv/members",
        "arraywright assemble vault --scan /dev/sdb /dev/sdc",
    ) {
    private val words by argument("[NAME] MEMBER").multiple()
        .help("the members, before them the array's name if you like; after --scan, more places")
    private val scan by option(metavar = "PLACE...").multiple()
        .help("directories and devices to look for members")
    private val force by option().flag().help("also when dirty and degraded, or with members that are behind")
    private val local by option().flag().help("do it in this process even if one is serving")

    override suspend fun execute() {
        val named = words.isNotEmpty() && !MemberWord.meansMember(words.first())
        val name = words.firstOrNull().takeIf { named }
        val rest = if (named) words.drop(1) else words
        if (rest.isEmpty() && scan.isEmpty()) throw UsageError("name the members, or where to --scan for them")
        val request = if (scan.isEmpty()) {
            AssembleRequest(members = rest.map(MemberWord::address), name = name, force = force)
        } else {
            // Clikt gives an option that may repeat one value at a time: the rest of "--scan A B" comes as words.
            AssembleRequest(scan = (scan + rest).map(MemberWord::place), name = name, force = force)
        }
        val server = if (local) null else Holders(places.runtime).serving()
        val array = server?.use { it.assemble(request) } ?: withKernel { assemble(KernelControl(it), request) }
        show(array) { "assembled ${DetailText.of(it)}" }
    }

    private suspend fun assemble(control: KernelControl, request: AssembleRequest): ArrayStatus {
        val name = control.assemble(request).name
        val array = follow(control, name)
        control.stop(name, forget = false)
        return array
    }
}
