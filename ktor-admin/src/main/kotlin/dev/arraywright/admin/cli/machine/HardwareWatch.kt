package dev.arraywright.admin.cli.machine

import com.github.ajalt.clikt.parameters.options.RawOption
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DeviceText
import dev.arraywright.admin.control.machine.ChangeView
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/** `arraywright hardware watch`: always this process's own look, for what happens now is the same to all. */
internal class HardwareWatch :
    Command(
        "watch",
        "Show what has blocks, and then what changes as it happens, until Ctrl-C.",
        "arraywright hardware watch",
        "arraywright hardware watch --all --for 1m -o json",
    ) {
    private val all by option().flag().help("also controllers, network cards and accelerators, and empty drives")
    private val limit by option("--for", metavar = "DURATION").duration().help("only for so long")

    override suspend fun execute(): Unit = withKernel(KernelOptions()) { kernel ->
        val bound = limit
        if (bound == null) watch(kernel) else withTimeoutOrNull(bound) { watch(kernel) }
    }

    private suspend fun watch(kernel: ArraywrightKernel) {
        val machine = checkNotNull(kernel.machine) { "it was started to watch" }
        machine.monitor.status.first { it.fullLooks > 0 || it.degraded != null }.run {
            degraded?.let { echo("arraywright: devices cannot be looked at: $it", err = true) }
            polling?.let { echo("arraywright: changes show after some seconds: $it", err = true) }
        }
        machine.changes.mapNotNull(ChangeView::of).filter { all || it.shows }.collect { show(it, DeviceText::change) }
    }
}

private fun RawOption.duration() = convert("DURATION") {
    Duration.parseOrNull(it)?.takeIf { duration -> duration.isPositive() }
        ?: fail("'$it' is no duration; write it like 10s or 5m")
}
