package dev.arraywright.admin.cli.driver

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.path
import dev.arraywright.admin.cli.protect.Family
import dev.arraywright.admin.cli.protect.running
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DriverText
import dev.arraywright.admin.console.settings
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.driver.Driving
import dev.arraywright.admin.control.driver.LoadRequest
import dev.arraywright.admin.control.driver.UpgradeRequest
import java.nio.file.Path

/** `arraywright driver` */
internal fun driver() = Family(
    "driver",
    "Drivers for more kinds of devices, loaded while arrays run.",
    DriverScan(),
    DriverList(),
    DriverShow(),
    DriverLoad(),
    DriverUnload(),
    DriverUpgrade(),
)

/** The serving process has another working directory. */
private fun whole(jar: Path): String = jar.toAbsolutePath().normalize().toString()

/** What the serving process is asked for. */
internal abstract class DriverCommand(name: String, summary: String, vararg examples: String) :
    Command(name, summary, *examples) {
    protected suspend fun <T> serving(block: suspend (Driving) -> T): T =
        Holders(places.runtime).running().use { block(it.drivers) }
}

private class DriverList :
    DriverCommand(
        "list",
        "Show the drivers of the serving process: those that are loaded, and what there is in its drivers' directory.",
        "arraywright driver list",
    ) {
    override suspend fun execute() {
        show(serving { it.drivers() }, DriverText::table)
    }
}

private class DriverShow :
    DriverCommand(
        "info",
        "Show all that is known of a driver: settings, requirements, figures, and what holds one that has leaked.",
        "arraywright driver info overlay",
    ) {
    private val driver by argument("NAME").help("as driver list has it")

    override suspend fun execute() {
        show(serving { it.driver(driver) }, DriverText::detail)
    }
}

private class DriverLoad :
    DriverCommand(
        "load",
        "Load a driver and start it, until it is unloaded: the configuration names its jar from now on, which stays " +
            "where it is. It may be used once this returns.",
        "arraywright driver load overlay.jar",
        "arraywright driver load fabric.jar --type org.example.FabricDriver --set timeout=5s",
    ) {
    private val jar by argument().path().help("the jar that has it")
    private val type by option(metavar = "CLASS").help("which one, where the jar has several")
    private val set by option("--set", metavar = "NAME=VALUE").multiple()
        .help("a setting, configured until the driver is unloaded; may be repeated")

    override suspend fun execute() {
        val request = LoadRequest(whole(jar), type, settings(set, example = "timeout=5s"))
        show(serving { it.load(request) }) { "loaded " + DriverText.detail(it) }
    }
}

private class DriverUnload :
    DriverCommand(
        "unload",
        "End a driver and take it out of memory and of the configuration; refused while its devices are open or " +
            "other drivers require it.",
        "arraywright driver unload overlay",
        "arraywright driver unload overlay --fail-devices",
    ) {
    private val driver by argument("NAME").help("as driver list has it")
    private val failDevices by option().flag().help("fail its open devices first, in the arrays that have them")

    override suspend fun execute() {
        serving { it.unload(driver, failDevices) }
        show(mapOf("unloaded" to driver)) { "unloaded $driver" }
    }
}

private class DriverUpgrade :
    DriverCommand(
        "upgrade",
        "Replace a driver by another version while its devices are in use; if that fails, the old one goes on.",
        "arraywright driver upgrade overlay overlay-1.1.jar",
        "arraywright driver upgrade fabric fabric-2.0.jar --with disks-2.0.jar",
    ) {
    private val driver by argument("NAME").help("as driver list has it")
    private val jar by argument().path().help("the jar that has the other version")
    private val with by option(metavar = "JAR").path().multiple()
        .help(
            "another driver's, upgraded together with it or not at all, as where each requires the other's new version",
        )

    override suspend fun execute() {
        show(serving { it.upgrade(driver, UpgradeRequest(whole(jar), with.map(::whole))) }, DriverText::upgraded)
    }
}
