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
import com.github.ajalt.clikt.parameters.options.required
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.console.NO_BITMAP
import dev.arraywright.admin.console.bitmap
import dev.arraywright.admin.console.byteSize
import dev.arraywright.admin.console.follow
import dev.arraywright.admin.console.settings
import dev.arraywright.admin.control.CreateRequest
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayStatus

/** `arraywright create` */
internal class Create :
    Command(
        "create",
        "Create an array. A serving process keeps it running; without one, it is made, synced and stopped clean.",
        "arraywright create vault --level 6 --size 1GiB m0.img m1.img m2.img m3.img m4.img --spare m5.img",
        "arraywright create mirror --level 1 /dev/sdb /dev/sdc --export",
        "arraywright create vault --level 5 --bitmap auto --shared-spare /dev/sde --export /dev/sdb /dev/sdc /dev/sdd",
    ) {
    private val name by argument().help("the array's name, 32 bytes at most")
    private val members by argument("MEMBER").convert { MemberWord.address(it) }.multiple(required = true)
        .help("a path, or an address such as file:/srv/m0.img, block:/dev/sdb, nbd://host/name")
    private val level by option(metavar = "LEVEL").required().help("0, 1, 5, 6 or 10")
    private val chunk by option().byteSize().help("bytes of a chunk, 512KiB unless given")
    private val spares by option("--spare", metavar = "MEMBER").convert { MemberWord.address(it) }.multiple()
        .help("a member that waits to replace a failed one; may be repeated")
    private val size by option().byteSize().help("create member files that do not exist, sparse, of this size")
    private val preallocate by option().flag().help("with --size: take the space now")
    private val assumeClean by option().flag().help("parity or mirrors are right already: skip the first resync")
    private val force by option().flag().help("overwrite what the members hold")
    private val bitmap by option(metavar = "SIZE").bitmap()
        .help("a write-intent bitmap, a bit of which stands for SIZE; auto for what fits, none for none")
    private val policy by option("--policy", metavar = "NAME=VALUE").multiple()
        .help("how arrays are looked after from now on; may be repeated; needs a serving process")
    private val shared by option("--shared-spare", metavar = "DEVICE").convert { MemberWord.address(it) }.multiple()
        .help("a spare for any array; may be repeated; needs a serving process")
    private val export by option().flag().help("export it at once; needs a serving process")
    private val local by option().flag().help("do it in this process even if one is serving")
    private val noWait by option().flag().help("leave the first resync to the next assembly")

    override suspend fun execute() {
        val server = if (local) null else Holders(places.runtime).serving()
        if (server == null) {
            val needy = listOf("--export" to export, "--policy" to policy.any(), "--shared-spare" to shared.any())
            needy.find { it.second }?.let {
                throw UsageError("${it.first} needs a serving process: start arraywright serve")
            }
        }
        val made = server?.use { it.create(request()) } ?: withKernel { create(KernelControl(it)) }
        show(made) { "created ${DetailText.of(it)}" }
    }

    private suspend fun create(control: KernelControl): ArrayStatus {
        control.create(request())
        if (!noWait) follow(control, name)
        val made = control.array(name)
        control.stop(name, forget = false)
        return made
    }

    private fun request() = CreateRequest(
        name,
        level,
        members,
        spares,
        chunk?.let(Math::toIntExact),
        size,
        preallocate,
        assumeClean,
        force,
        export,
        bitmap?.takeIf { it != NO_BITMAP },
        settings(policy),
        shared,
    )
}
