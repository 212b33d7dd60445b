package dev.arraywright.hardware.device.guard

import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** A clock and its alarm. Thread-safe; alarms never wait for a device. */
public interface DeadlineTimer {
    /** Nanoseconds from an arbitrary origin. */
    public fun nanoTime(): Long

    /** Runs [action] once [nanoTime] has reached [at], unless the result is closed before. */
    public fun schedule(at: Long, action: Runnable): AutoCloseable
}

/** Time as it passes; one daemon thread for all devices. */
public class SystemDeadlineTimer : DeadlineTimer, AutoCloseable {
    private val executor =
        ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("arraywright-deadlines").factory()).apply {
            removeOnCancelPolicy = true
        }

    override fun nanoTime(): Long = System.nanoTime()

    override fun schedule(at: Long, action: Runnable): AutoCloseable {
        val scheduled = executor.schedule(action, at - System.nanoTime(), TimeUnit.NANOSECONDS)
        return AutoCloseable { scheduled.cancel(false) }
    }

    /** Drops all alarms: close the devices that use the timer first. */
    override fun close() {
        executor.shutdownNow()
    }
}
