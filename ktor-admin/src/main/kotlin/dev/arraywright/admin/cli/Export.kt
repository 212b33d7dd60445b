package dev.arraywright.admin.cli

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import dev.arraywright.admin.AdminSurface
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.control.ExportRequest
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.serve.Foreground
import dev.arraywright.admin.serve.Ready
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** `arraywright export` */
internal class Export :
    Command(
        "export",
        "Export a running array over NBD; or assemble one from its members and export it until SIGTERM or SIGINT.",
        "arraywright export vault --name data --read-only",
        "arraywright export m0.img m1.img m2.img m3.img m4.img --port 0",
        "arraywright export --socket /run/user/1000/vault.sock m0.img m1.img",
    ) {
    private val words by argument(
        "ARRAY or MEMBER",
    ).multiple(required = true).help("a running array's name, or all members of one that is not running")
    private val name by option().help("the export's name; the array's unless given")
    private val host by option().help("with members: the address to listen at, 127.0.0.1 unless given")
    private val port by option().int().restrictTo(
        0..65535,
    ).help("with members: the port, 10809 unless given; 0 takes a free one")
    private val socket by option().path().help("with members: listen on a Unix socket instead")
    private val allowRemote by option().flag().help(
        "with --host: serve other machines too; NBD here knows no passwords",
    )
    private val force by option().flag().help("with members: assemble also when dirty and degraded")
    private val readOnly by option().flag().help("refuse writes")

    override suspend fun execute() {
        if (words.all(MemberWord::meansMember)) return foreground()
        if (words.size > 1) throw UsageError("name one running array, or members by path or address")
        if (host != null || port != null || socket != null || allowRemote) {
            throw UsageError("--host, --port and --socket belong to the process that holds ${words.single()}")
        }
        val array = words.single()
        val made = Holders(places.runtime).of(array) { it.export(ExportRequest(array, name ?: array, readOnly)) }
        show(made) { it.uri }
    }

    private suspend fun foreground() {
        if (socket != null && (host != null || port != null)) throw UsageError("--socket excludes --host and --port")
        Foreground().use { foreground ->
            val control = places.runtime.claim("export")
            val kernel = ArraywrightKernel.start()
            try {
                kernel.listen(endpoint())
                val array = kernel.assembleArray(words.map(MemberWord::address), force = force).name
                val export = kernel.export(array, ExportConfiguration(name ?: array, readOnly = readOnly))
                AdminSurface(kernel).listen(control).use {
                    show(Ready(listOf(export.uri), control = "$control"), Ready::text)
                    foreground.awaitEnd()
                    say("ending")
                }
            } finally {
                withContext(NonCancellable) { kernel.shutdown() }
            }
        }
    }

    private fun endpoint(): NbdConfiguration {
        val plain =
            NbdConfiguration(allowRemote = allowRemote, socket = socket?.toAbsolutePath()?.normalize()?.toString())
        return plain.copy(host = host ?: plain.host, port = port ?: plain.port)
    }
}
