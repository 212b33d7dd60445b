package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.convert
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.ProtectionText
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.protect.SpareRequest
import dev.arraywright.kernel.spare.ProtectionStatus
import dev.arraywright.kernel.spare.SpareView

/** `arraywright spare` */
internal fun spare() = Family(
    "spare",
    "Devices that wait to take the place of a failed member.",
    SpareAdd(),
    SpareRemove(),
    SpareList(),
)

/** Those that are awaited have no size. */
private fun listed(status: ProtectionStatus): List<SpareView> =
    status.spares + status.awaited.map { SpareView(it, 0, health = ProtectionText.AWAITED) }

private class SpareAdd :
    Command(
        "add",
        "Add a spare, of one array or for all; it is checked by reading and writing before it counts.",
        "arraywright spare add m6.img",
        "arraywright spare add /dev/sde --array vault --domain shelf2",
        "arraywright spare add /dev/disk/by-id/nvme-EXAMPLE_1234 --await",
    ) {
    private val address by argument("DEVICE").convert { MemberWord.address(it) }.help("a path or an address")
    private val array by option(metavar = "NAME").help("for this array only")
    private val domain by option(metavar = "LABEL")
        .help("what it would fail together with: an enclosure, a node, a host")
    private val await by option().flag()
        .help("it may be plugged in later, and counts from then on; for all arrays only, and for disks")

    override suspend fun execute() {
        if (await && array != null) throw UsageError("--await is for all arrays; leave --array out")
        val spares = Holders(places.runtime).with(array) {
            listed(it.protection.addSpare(SpareRequest(address, array, domain, await)))
        }
        show(spares.filter { it.address == address }, ProtectionText::spares)
    }
}

private class SpareRemove :
    Command(
        "remove",
        "Remove a spare that is not in use, so that it is free for something else.",
        "arraywright spare remove m6.img",
    ) {
    private val address by argument("DEVICE").convert { MemberWord.address(it) }.help("a path or an address")

    override suspend fun execute() {
        Holders(places.runtime).running().use { it.protection.removeSpare(address) }
        show(mapOf("removed" to address)) { "removed $address" }
    }
}

private class SpareList :
    Command(
        "list",
        "Show the spares: size, health, and for each array whether they would do, or why not; also those that are " +
            "awaited.",
        "arraywright spare list",
    ) {
    override suspend fun execute() {
        val spares = Holders(places.runtime).running().use { listed(it.protection.status()) }
        show(spares, ProtectionText::spares)
    }
}
