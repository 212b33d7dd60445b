package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.ProtectionText
import dev.arraywright.admin.console.followRebuilds
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.protect.RebuildChange
import dev.arraywright.admin.control.protect.RebuildRequest

/** `arraywright rebuild` */
internal fun rebuild() = Family(
    "rebuild",
    "Rebuilds of arrays that miss a member, and replacements of members that still work.",
    RebuildList(),
    ChangeRebuild(RebuildChange.PAUSE, "Hold a rebuild where it is.", "arraywright rebuild pause vault-1"),
    ChangeRebuild(RebuildChange.RESUME, "Let a paused rebuild go on.", "arraywright rebuild resume vault-1"),
    ChangeRebuild(
        RebuildChange.CANCEL,
        "End a rebuild; the place stays empty until you force another.",
        "arraywright rebuild cancel vault-1",
    ),
    StartRebuild(
        "force",
        false,
        "Rebuild the place of a failed member, whatever the policy says.",
        "arraywright rebuild force vault 1",
        "arraywright rebuild force vault m1.img --onto m6.img --wait",
    ),
    StartRebuild(
        "replace",
        true,
        "Fill a spare beside a member that works, and swap the two: redundancy never drops.",
        "arraywright rebuild replace vault m1.img --onto m6.img",
    ),
)

private class RebuildList :
    Command(
        "list",
        "Show what is rebuilt, how fast and, where that can be told, how long it will take.",
        "arraywright rebuild list",
        "arraywright rebuild list -o json",
    ) {
    override suspend fun execute() {
        val rebuilds = Holders(places.runtime).running().use { it.protection.status().rebuilds }
        show(rebuilds, ProtectionText::rebuilds)
    }
}

private class ChangeRebuild(private val change: RebuildChange, summary: String, vararg examples: String) :
    Command(change.name.lowercase(), summary, *examples) {
    private val id by argument().help("the rebuild's id, as rebuild list shows it")

    override suspend fun execute() {
        Holders(places.runtime).running().use { it.protection.change(id, change) }
        show(mapOf("rebuild" to id, "change" to change.name.lowercase())) { "$id: ${change.name.lowercase()}" }
    }
}

private class StartRebuild(name: String, private val working: Boolean, summary: String, vararg examples: String) :
    Command(name, summary, *examples) {
    private val array by argument().help("the array's name")
    private val member by argument().help("a path, an address, or a slot number")
    private val onto by option(metavar = "SPARE").convert { MemberWord.address(it) }
        .help("the spare to take; the one that suits best unless given")
    private val wait by option().flag().help("until it has ended, showing how far it is")

    override suspend fun execute() {
        val target = if (member.all(Char::isDigit)) member else MemberWord.address(member)
        val rebuilds = Holders(places.runtime).of(array) { control ->
            val begun = control.protection.rebuild(array, RebuildRequest(target, onto, working)).rebuilds
            if (wait) followRebuilds(control, array) else begun.filter { it.array == array }
        }
        show(rebuilds, ProtectionText::rebuilds)
    }
}
