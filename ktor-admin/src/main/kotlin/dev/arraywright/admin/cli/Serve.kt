package dev.arraywright.admin.cli

import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.path
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.ControlServer
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.http.Health
import dev.arraywright.admin.http.HealthServer
import dev.arraywright.admin.serve.DefaultConfiguration
import dev.arraywright.admin.serve.Foreground
import dev.arraywright.admin.serve.Kept
import dev.arraywright.admin.serve.Listing
import dev.arraywright.admin.serve.Ready
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.config.file.Reloaded
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.file.Path
import kotlin.io.path.exists

/** `arraywright serve` */
internal class Serve :
    Command(
        "serve",
        "Keep the arrays of a configuration file running with their exports, until SIGTERM or SIGINT. Without a " +
            "configuration, make one with a RAID-6 of five sparse files and a spare, and say where.",
        "arraywright serve",
        "arraywright serve --config /etc/arraywright.json",
    ) {
    private val config by option(
        metavar = "FILE",
    ).path().help("the configuration; unless given, arraywright.json in your data directory")
    private val journal by option(metavar = "DIR").path()
        .help("keep the events here; unless given, beside the configuration, as NAME.journal")
    private val state by option(metavar = "DIR").path()
        .help("remember scrubs here; unless given, beside the configuration, as NAME.state")

    override suspend fun execute() {
        val complete = Foreground().use { foreground ->
            val socket = places.runtime.claim("serve")
            val file = (config ?: default().takeIf { it.exists() })?.let(ConfigurationFile::open)
            val kernel = ArraywrightKernel.start(options(file?.current?.value))
            try {
                serve(kernel, socket, file ?: made(kernel), foreground)
            } finally {
                withContext(NonCancellable) { kernel.shutdown() }
            }
        }
        if (!complete) throw ProgramResult(1)
    }

    private fun options(configuration: Configuration?): KernelOptions {
        val kept = Kept.beside(config ?: default())
        val options = KernelOptions(
            journal = journal?.toAbsolutePath() ?: kept.journal,
            state = state?.toAbsolutePath() ?: kept.state,
        )
        return configuration?.applyTo(options) ?: options
    }

    /** True unless something of the configuration could not be started. */
    private suspend fun serve(
        kernel: ArraywrightKernel,
        socket: Path,
        file: ConfigurationFile,
        foreground: Foreground,
    ): Boolean {
        ControlServer.start(socket, KernelControl(kernel, file)).use {
            val (failures, health) = coroutineScope {
                val health = async { HealthServer.start(file.current.value.http) { health(kernel, file) } }
                start(kernel, file.current.value) to health.await()
            }
            health.use {
                failures.forEach(::report)
                warnOfLeftOut(kernel)
                coroutineScope {
                    val keeping = launch { Listing().keep(kernel, file, ::report) }
                    val following = launch { file.follow(kernel, ::tell) }
                    val journalling = launch { warnOfJournal(kernel) }
                    tell(kernel, file, health, socket)
                    foreground.awaitEnd()
                    say("ending")
                    following.cancelAndJoin()
                    keeping.cancelAndJoin()
                    journalling.cancelAndJoin()
                }
            }
            return failures.isEmpty()
        }
    }

    /** What could not be started; the NBD server listens also where nothing is exported yet. */
    private suspend fun start(kernel: ArraywrightKernel, configuration: Configuration): List<KernelError> {
        val failures = kernel.apply(configuration)
        if (configuration.arrays.any { it.export != null }) return failures
        return try {
            kernel.listen(configuration.nbd)
            failures
        } catch (e: KernelError) {
            failures + e
        }
    }

    private fun default(): Path = DefaultConfiguration.file(places.data)

    private suspend fun made(kernel: ArraywrightKernel): ConfigurationFile {
        val made = DefaultConfiguration.make(kernel, places.data)
        say("no configuration was there: made ${default()} with ${DefaultConfiguration.FILES} sparse files beside it")
        return made
    }

    /** What came of an edit of the file. */
    private fun tell(outcome: Reloaded): Unit = when (outcome) {
        is Reloaded.Rejected -> report(outcome.error)
        is Reloaded.Changed -> {
            say("the configuration was changed, and counts")
            outcome.outcome.notes.forEach { echo("arraywright: $it", err = true) }
            outcome.outcome.failures.forEach(::report)
        }
    }

    private suspend fun warnOfJournal(kernel: ArraywrightKernel) {
        kernel.journal?.failure?.filterNotNull()?.collect { echo("arraywright: $it", err = true) }
    }

    private fun warnOfLeftOut(kernel: ArraywrightKernel) {
        for (array in kernel.arrays.value.values) {
            array.leftOut.forEach { (member, why) ->
                echo("arraywright: ${array.name}: $member is left out: $why", err = true)
            }
        }
    }

    private fun health(kernel: ArraywrightKernel, file: ConfigurationFile) =
        Health.of(kernel.arrays.value.values.map { it.status.value }, file.current.value.arrays.map { it.name })

    private fun tell(kernel: ArraywrightKernel, file: ConfigurationFile, health: HealthServer, socket: Path) {
        val uris = kernel.exports.value.values.map { it.uri }.sorted()
        val http = file.current.value.http.host.let { if (':' in it) "[$it]" else it }
        val ready = Ready(uris, "http://$http:${health.port}/health", "$socket", "${file.path}")
        show(ready, Ready::text)
    }
}
