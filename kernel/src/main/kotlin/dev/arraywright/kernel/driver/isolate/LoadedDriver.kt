package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.driver.isolate.leak.LeakWatch
import dev.arraywright.spi.driver.Driver
import java.nio.file.Path
import java.util.ResourceBundle
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration

/**
 * A driver in memory, constructed and nothing more. Once it is closed it holds nothing of the driver.
 *
 * @property jar where it was read from
 * @property notes what its author should know, a line each
 * @property watch tells after [close] whether the driver is gone
 */
public class LoadedDriver internal constructor(
    public val jar: Path,
    public val notes: List<String>,
    public val watch: LeakWatch,
    driver: Driver,
    loader: DriverClassLoader,
) : AutoCloseable {
    private class Held(val driver: Driver, val loader: DriverClassLoader)

    private val held = AtomicReference<Held?>(Held(driver, loader))

    /** @throws IllegalStateException if it is closed; whoever keeps it keeps the driver in memory */
    public val driver: Driver get() = held().driver

    /** Classes loaded so far; 0 once it is closed. */
    public val classes: Int get() = held.get()?.loader?.definedCount ?: 0

    /** Bytes of the class files loaded so far, a measure of the metaspace that they take; 0 once it is closed. */
    public val classBytes: Long get() = held.get()?.loader?.definedBytes ?: 0

    /**
     * Runs [block] on a thread of the driver's own, whose context class loader is the driver's. When that takes longer
     * than [deadline] the thread is interrupted and left alone, and a value that comes later goes to [unused].
     *
     * @param title names the thread
     * @throws IllegalStateException if it is closed
     */
    public suspend fun <T> call(
        title: String,
        deadline: Duration,
        unused: (T) -> Unit = {},
        block: (Driver) -> T,
    ): CallOutcome<T> {
        val (driver, loader) = held().let { it.driver to it.loader }
        return DriverCall.apart(title, loader, deadline, unused) { block(driver) }
    }

    /** Lets go of the driver, which its [Driver.close] has ended before. What it has not loaded, it cannot any more. */
    override fun close() {
        val last = held.getAndSet(null) ?: return
        last.loader.forget()
    }

    private fun held() = checkNotNull(held.get()) { "the driver of ${jar.fileName} is unloaded" }

    internal companion object {
        /** Closes the loader, and clears the JDK's own cache of it, which only a lack of memory would. */
        fun DriverClassLoader.forget() {
            close()
            ResourceBundle.clearCache(this)
        }
    }
}
