package dev.arraywright.hardware.device

import dev.arraywright.hardware.device.guard.DeadlineTimer
import dev.arraywright.hardware.device.guard.GuardLimits
import dev.arraywright.hardware.device.guard.GuardedDevice
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Opens devices by address, through the running driver that announces the address's scheme, and guards them.
 * Thread-safe.
 *
 * An open that hangs costs its own thread and nothing else: past [deadline] it is given up, and a device that comes
 * after that, or after a cancellation, is closed again.
 *
 * @param builtIn this opener's own: it starts and registers them and, in [close], stops and closes them
 */
public class DeviceOpener(
    private val buffers: BufferPool,
    private val timer: DeadlineTimer,
    private val builtIn: BuiltInDrivers,
    private val limits: GuardLimits = GuardLimits(),
    private val deadline: Duration = 20.seconds,
) : AutoCloseable {
    private val drivers = ConcurrentHashMap<String, Driver>()
    private val openings = Semaphore(OPENINGS)

    init {
        builtIn.start(buffers) { register(it) }
    }

    /** The schemes that can be opened now. */
    public val schemes: Set<String> get() = drivers.keys.toSortedSet()

    /**
     * Offers a started driver for the schemes that its [StorageDriver] announces, until the result is closed.
     *
     * @throws IllegalArgumentException if it is not annotated, or another driver has one of its schemes
     */
    public fun register(driver: Driver): AutoCloseable {
        val announced = requireNotNull(driver.javaClass.getAnnotation(StorageDriver::class.java)) {
            "${driver.javaClass.name} has no @StorageDriver"
        }
        return register(announced.supportedDevices.filter { ':' !in it }, driver)
    }

    /**
     * Offers a started driver for [schemes], all or none, until the result is closed. It need not be annotated: it may
     * stand for another one.
     *
     * @throws IllegalArgumentException if another driver has one of them
     */
    public fun register(schemes: Collection<String>, driver: Driver): AutoCloseable {
        val wanted = schemes.toList()
        val registered = wanted.takeWhile { drivers.putIfAbsent(it, driver) == null }
        val registration = AutoCloseable { registered.forEach { drivers.remove(it, driver) } }
        if (registered.size < wanted.size) {
            registration.close()
            throw IllegalArgumentException("another driver serves '${wanted[registered.size]}:' already")
        }
        return registration
    }

    /**
     * Has what [by] makes of each built-in driver open devices in its place from now on, such as one that counts. The
     * drivers' own life stays this opener's.
     */
    public fun interpose(by: (Driver) -> Driver) {
        for (driver in builtIn.drivers) {
            val instead = by(driver)
            drivers.replaceAll { _, now -> if (now === driver) instead else now }
        }
    }

    /**
     * Opens and guards the device at [address]; the caller closes it.
     *
     * @throws DriverException if it cannot be opened: what, why, and what to do
     */
    public suspend fun open(address: StorageAddress, options: OpenOptions = OpenOptions.DEFAULT): GuardedDevice {
        val driver = drivers[address.scheme()] ?: throw DriverException(
            Reason.UNSUPPORTED,
            "no driver serves '${address.scheme()}:', as in $address",
            "use one of ${schemes.joinToString { "$it:" }}, or install a driver for it",
        )
        return guard(address, openInTime(address) { driver.open(address, options) })
    }

    /** Opens nothing any more. Devices still open keep their own life. */
    override fun close() {
        drivers.clear()
        builtIn.close()
    }

    private fun guard(address: StorageAddress, device: BlockDevice): GuardedDevice =
        try {
            GuardedDevice(device, buffers, timer, limits)
        } catch (e: IllegalStateException) {
            device.close()
            throw DriverException(
                Reason.FAILED,
                "no buffer memory left for $address: ${e.message}",
                "open fewer devices, or raise the buffer pool's limit",
                e,
            )
        }

    private suspend fun openInTime(address: StorageAddress, open: () -> BlockDevice): BlockDevice {
        if (!openings.tryAcquire()) throw late(address, "$OPENINGS other devices are being opened, and none answers")
        return suspendCancellableCoroutine { continuation ->
            val opening = Opening()
            val alarm = timer.schedule(timer.nanoTime() + deadline.inWholeNanoseconds) {
                if (opening.abandon()) continuation.resumeWithException(late(address, "no answer within $deadline"))
            }
            continuation.invokeOnCancellation {
                alarm.close()
                opening.abandon()
            }
            Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("open $address").start {
                val opened = try {
                    runCatching(open)
                } finally {
                    openings.release()
                }
                alarm.close()
                if (opening.finish()) {
                    opened.onSuccess { continuation.resume(it) { _, unused, _ -> unused.close() } }
                    opened.onFailure { continuation.resumeWithException(explained(address, it)) }
                } else {
                    opened.onSuccess(BlockDevice::close)
                }
            }
        }
    }

    private fun late(address: StorageAddress, why: String) =
        DriverException(Reason.UNREACHABLE, "$address: $why", "check the device and the path to it, then try again")

    private fun explained(address: StorageAddress, failure: Throwable): DriverException =
        failure as? DriverException
            ?: DriverException(Reason.FAILED, "the driver failed to open $address: $failure", "", failure)

    /** Who has the last word: the opening thread, or the one that gives it up. */
    private class Opening {
        private enum class State { OPENING, FINISHED, ABANDONED }

        private val state = AtomicReference(State.OPENING)

        fun finish(): Boolean = state.compareAndSet(State.OPENING, State.FINISHED)

        fun abandon(): Boolean = state.compareAndSet(State.OPENING, State.ABANDONED)
    }

    private companion object {
        /** At once, hanging ones included. */
        const val OPENINGS = 64
    }
}
