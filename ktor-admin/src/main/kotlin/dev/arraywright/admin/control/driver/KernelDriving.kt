package dev.arraywright.admin.control.driver

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import java.nio.file.InvalidPathException
import java.nio.file.Path

/** The drivers of [kernel], in this process; what outlives it is written to its [file], if it keeps one. */
internal class KernelDriving(
    private val kernel: ArraywrightKernel,
    file: ConfigurationFile?,
) : Driving {
    private val kept = file?.let { KeptDrivers(it, kernel.drivers) }

    override suspend fun drivers(): DriversView {
        val manager = kernel.drivers
        return DriversView(names().mapNotNull { manager.status(it)?.toView() }, manager.statistics.toView())
    }

    override suspend fun driver(name: String): DriverView =
        kernel.drivers.status(name)?.toView() ?: throw KernelError.NotFound(
            "there is no driver $name",
            "there are " + names().joinToString(),
            "see what there is: arraywright driver list",
        )

    override suspend fun load(request: LoadRequest): DriverView {
        val jar = path(request.jar, "cannot load a driver")
        val name = kernel.drivers.load(jar, request.type, request.settings).id
        kept?.loaded(name, request.type, request.settings)
        return driver(name)
    }

    override suspend fun unload(name: String, failDevices: Boolean) {
        kernel.drivers.unload(name, failDevices)
        kept?.unloaded(name)
    }

    override suspend fun upgrade(name: String, request: UpgradeRequest): UpgradeView {
        val jar = path(request.jar, "cannot upgrade the driver $name")
        val from = version(name)
        val before = kept?.jars().orEmpty()
        val with = request.with.map { path(it, "cannot upgrade the driver $name along with others") }
        val report = if (with.isEmpty()) kernel.drivers.upgrade(name, jar) else together(name, jar, with)
        kept?.upgraded(before)
        return report.toView(name, from, version(name))
    }

    private suspend fun together(name: String, jar: Path, with: List<Path>): UpgradeReport {
        if (kernel.drivers.scan(jar).candidates.none { it.info.name == name }) {
            throw KernelError.NotFound("cannot upgrade the driver $name", "$jar has none of that name", "name its jar")
        }
        val (own, others) = kernel.drivers.upgradeAll(listOf(jar) + with).upgrades.partition { it.name == name }
        return own.single().report.let { it.copy(notes = it.notes + others.map { other -> "$other along with it" }) }
    }

    private fun names(): List<String> =
        (kernel.drivers.drivers.value.keys + kernel.drivers.builtIn.map { it.name }).sorted()

    private fun version(name: String): String? = kernel.drivers.status(name)?.info?.version?.toString()

    /** This process has another working directory than whoever asks. */
    private fun path(text: String, what: String): Path {
        val path = try {
            Path.of(text)
        } catch (e: InvalidPathException) {
            throw KernelError.InvalidRequest(what, "the jar has no such path: ${e.reason}", "name a jar", e)
        }
        if (!path.isAbsolute) throw KernelError.InvalidRequest(what, "$text is no absolute path", "give the whole path")
        return path.normalize()
    }
}
