package dev.arraywright.kernel.driver.isolate

import dev.arraywright.spi.driver.Driver
import java.net.URL
import java.util.Collections
import java.util.Enumeration

/**
 * The parent of every driver's loader: the JDK, the SPI and what is shared, and nothing else of the application.
 * The JDK's tools (`com.sun.tools.**`) are the application's, too, and have to be shared to be seen.
 *
 * It defines no class, so it needs no lock and one gate serves all drivers.
 */
internal class ApplicationGate(val shared: SharedPackages) :
    ClassLoader("driver-gate", getPlatformClassLoader()) {
    private val application = ApplicationGate::class.java.classLoader
    private val spi = Driver::class.java.classLoader

    /** Whether the JDK or the application alone has a say about [packageName]. */
    fun decides(packageName: String): Boolean = packageName in JDK || shared.covers(packageName)

    override fun loadClass(name: String, resolve: Boolean): Class<*> {
        val packageName = name.substringBeforeLast('.', "")
        return if (shared.covers(packageName)) source(packageName).loadClass(name) else parent.loadClass(name)
    }

    override fun getResource(name: String): URL? {
        val packageName = packageOf(name)
        return if (shared.covers(packageName)) source(packageName).getResource(name) else parent.getResource(name)
    }

    override fun getResources(name: String): Enumeration<URL> {
        val packageName = packageOf(name)
        return when {
            shared.covers(packageName) -> source(packageName).getResources(name)
            else -> parent.getResources(name) ?: Collections.emptyEnumeration()
        }
    }

    private fun source(packageName: String) = when {
        packageName == SharedPackages.SPI || packageName.startsWith(SharedPackages.SPI + ".") -> spi
        else -> application
    }

    private fun packageOf(resource: String) = resource.substringBeforeLast('/', "").replace('/', '.')

    companion object {
        init {
            registerAsParallelCapable()
        }

        /** Packages of the JDK's own modules that a driver sees. */
        private val JDK: Set<String> = ModuleLayer.boot().modules()
            .filter { it.classLoader == null || it.classLoader === getPlatformClassLoader() }
            .flatMap { it.packages }
            .toSet()
    }
}
