package dev.arraywright.admin.control.driver

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import java.nio.file.InvalidPathException
import java.nio.file.Path

/** The drivers of [kernel], in this process. */
internal class KernelDriving(private val kernel: ArraywrightKernel) : Driving {
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
        return driver(kernel.drivers.load(jar, request.type, request.settings).id)
    }

    override suspend fun unload(name: String, failDevices: Boolean): Unit = kernel.drivers.unload(name, failDevices)

    override suspend fun upgrade(name: String, request: UpgradeRequest): UpgradeView {
        val jar = path(request.jar, "cannot upgrade the driver $name")
        val from = version(name)
        return kernel.drivers.upgrade(name, jar).toView(name, from, version(name))
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
