package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.optional
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.ProtectionText
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.protect.ScrubChange
import dev.arraywright.admin.control.protect.ScrubRequest
import dev.arraywright.kernel.spare.ScrubView

/** `arraywright scrub` */
internal fun scrub() = Family(
    "scrub",
    "Comparing data with redundancy, while the array serves.",
    ScrubStart(),
    ChangeScrub(ScrubChange.PAUSE, "Hold a scrub where it is.", "arraywright scrub pause vault"),
    ChangeScrub(ScrubChange.RESUME, "Let a paused scrub go on.", "arraywright scrub resume vault"),
    ChangeScrub(ScrubChange.STOP, "End a scrub; its report stays.", "arraywright scrub stop vault"),
    ScrubReport(),
)

private fun text(scrubs: List<ScrubView>): String =
    if (scrubs.isEmpty()) "nothing was scrubbed" else scrubs.joinToString("\n", transform = ProtectionText::report)

private class ScrubStart :
    Command(
        "start",
        "Compare all data of an array with its redundancy, and tell where they differ.",
        "arraywright scrub start vault",
        "arraywright scrub start vault --repair",
    ) {
    private val array by argument().help("the array's name")
    private val repair by option().flag().help("and mend what differs")

    override suspend fun execute() {
        val scrubs = Holders(places.runtime).of(array) {
            it.protection.scrub(array, ScrubChange.START, ScrubRequest(repair)).scrubs
        }
        show(scrubs.filter { it.array == array }, ::text)
    }
}

private class ChangeScrub(private val change: ScrubChange, summary: String, vararg examples: String) :
    Command(change.name.lowercase(), summary, *examples) {
    private val array by argument().help("the array's name")

    override suspend fun execute() {
        val scrubs = Holders(places.runtime).of(array) { it.protection.scrub(array, change).scrubs }
        show(scrubs.filter { it.array == array }, ::text)
    }
}

private class ScrubReport :
    Command(
        "report",
        "Show what the running or the last scrub of each array found: counts and places.",
        "arraywright scrub report vault",
        "arraywright scrub report -o json",
    ) {
    private val array by argument().optional().help("the array's name; all unless given")

    override suspend fun execute() {
        val scrubs = Holders(places.runtime).with(array) { it.protection.status().scrubs }
        show(scrubs.filter { array == null || it.array == array }, ::text)
    }
}
