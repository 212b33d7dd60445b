package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.isolate.LoadedDriver
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakPatience
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import kotlin.time.Duration

/**
 * A driver in memory, for one life of it. Each step is a call into the driver with a deadline, and what it throws comes
 * back as words; [open] alone is for a thread that may hang.
 */
internal interface DriverInstance {
    /** What its author should know. */
    val notes: List<String>

    val classes: Int

    val classBytes: Long

    suspend fun initialize(context: DriverContext, deadline: Duration): CallOutcome<Unit>

    suspend fun start(deadline: Duration): CallOutcome<Unit>

    suspend fun health(deadline: Duration): CallOutcome<DeviceHealth>

    /** False if it wants to be restarted. */
    suspend fun reconfigure(settings: Map<String, String>, deadline: Duration): CallOutcome<Boolean>

    suspend fun stop(deadline: Duration): CallOutcome<Unit>

    suspend fun close(deadline: Duration): CallOutcome<Unit>

    /** Runs something else of the driver, such as closing one of its devices, as the steps are run. */
    suspend fun <T> apart(title: String, deadline: Duration, unused: (T) -> Unit, block: () -> T): CallOutcome<T>

    /** Throws what the driver throws. */
    fun open(address: StorageAddress, options: OpenOptions): BlockDevice

    /** Lets go of the driver: no other call after this, except [gone] and [leftBehind]. */
    fun release()

    /** What it was lent and has not given back, in words; null if nothing. */
    val leftBehind: String? get() = null

    /** Waits for its classes to go. */
    suspend fun gone(): LeakOutcome
}

/** One with a class loader of its own. */
internal class IsolatedInstance(
    private val name: String,
    private val loaded: LoadedDriver,
    private val patience: LeakPatience,
    private val buffers: InstanceBuffers,
) : DriverInstance {
    override val notes: List<String> get() = loaded.notes
    override val classes: Int get() = loaded.classes
    override val classBytes: Long get() = loaded.classBytes

    override suspend fun initialize(context: DriverContext, deadline: Duration): CallOutcome<Unit> =
        call("initialize", deadline) { it.initialize(buffers.lentTo(context)) }

    override suspend fun start(deadline: Duration): CallOutcome<Unit> = call("start", deadline) { it.start() }

    override suspend fun health(deadline: Duration): CallOutcome<DeviceHealth> =
        call("health", deadline) { checkNotNull(it.health()) { "its health() is null" } }

    override suspend fun reconfigure(settings: Map<String, String>, deadline: Duration): CallOutcome<Boolean> =
        call("reconfigure", deadline) { it.reconfigure(settings) }

    override suspend fun stop(deadline: Duration): CallOutcome<Unit> = call("stop", deadline) { it.stop() }

    override suspend fun close(deadline: Duration): CallOutcome<Unit> = call("close", deadline) { it.close() }

    override suspend fun <T> apart(
        title: String,
        deadline: Duration,
        unused: (T) -> Unit,
        block: () -> T,
    ): CallOutcome<T> = loaded.call("driver $name: $title", deadline, unused) { block() }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val driver = loaded.driver
        val thread = Thread.currentThread()
        val before = thread.contextClassLoader
        // As in the steps: libraries look there for what the driver brings.
        thread.contextClassLoader = driver.javaClass.classLoader
        try {
            return checkNotNull(driver.open(address, options)) { "its open() gives null" }
        } finally {
            thread.contextClassLoader = before
        }
    }

    override fun release() {
        buffers.end()
        loaded.close()
    }

    override val leftBehind: String? get() = buffers.left

    override suspend fun gone(): LeakOutcome = loaded.watch.await(patience).also(buffers::settle)

    private suspend fun <T> call(step: String, deadline: Duration, block: (Driver) -> T): CallOutcome<T> =
        loaded.call("driver $name: $step", deadline, block = block)
}
