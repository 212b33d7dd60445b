package dev.arraywright.kernel.driver

import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.driver.isolate.LoaderLimits
import dev.arraywright.kernel.driver.isolate.SharedPackages
import dev.arraywright.kernel.driver.isolate.leak.LeakPatience
import dev.arraywright.kernel.driver.lifecycle.CrashPolicy
import dev.arraywright.kernel.driver.lifecycle.DriverDeadlines
import dev.arraywright.kernel.driver.scan.JarLimits
import java.nio.file.Path

/**
 * How a kernel deals with drivers that are loaded at run time.
 *
 * @property directory where their jars are; absent: nowhere in particular. One that comes is loaded if it has
 *   `autoLoad` or a device of the machine asks for it, one that changes is upgraded, and one that goes is unloaded
 * @property sharedPackages what they see of the application besides the SPI, as [SharedPackages] has it
 * @property maxLoaded how many are loaded at once, unless the configuration says otherwise
 * @property heapDumpUpTo bytes of heap in use up to which a driver that leaks is looked for in a dump of the heap, which
 *   stops the process for a while; 0: never
 * @property configured what drivers start with, by name; until another configuration is applied
 * @property maxBuffers bytes that one driver may have out of the kernel's buffer pool at once; absent: half of the pool
 */
public data class DriverOptions(
    public val directory: Path? = null,
    public val sharedPackages: List<String> = emptyList(),
    public val maxLoaded: Int = MOST,
    public val deadlines: DriverDeadlines = DriverDeadlines(),
    public val crashes: CrashPolicy = CrashPolicy(),
    public val jarLimits: JarLimits = JarLimits(),
    public val loaderLimits: LoaderLimits = LoaderLimits(),
    public val leakPatience: LeakPatience = LeakPatience(),
    public val heapDumpUpTo: Long = 256L shl 20,
    public val configured: Map<String, DriverConfiguration> = emptyMap(),
    public val maxBuffers: Long? = null,
) {
    init {
        require(maxBuffers == null || maxBuffers > 0) { "maxBuffers: not $maxBuffers" }
        require(maxLoaded > 0) { "maxLoaded: not $maxLoaded" }
        SharedPackages(sharedPackages)
    }

    public companion object {
        /** How many drivers are loaded at once. */
        public const val MOST: Int = 100
    }
}
