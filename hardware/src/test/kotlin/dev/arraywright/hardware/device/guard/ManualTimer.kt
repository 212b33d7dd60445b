package dev.arraywright.hardware.device.guard

import java.util.PriorityQueue
import kotlin.time.Duration

/** Time that passes when told to; alarms run on the thread that tells. */
internal class ManualTimer : DeadlineTimer {
    private class Alarm(val at: Long, val action: Runnable)

    private val alarms = PriorityQueue<Alarm>(compareBy { it.at })
    private var now = 0L

    override fun nanoTime(): Long = synchronized(alarms) { now }

    override fun schedule(at: Long, action: Runnable): AutoCloseable {
        val alarm = Alarm(at, action)
        synchronized(alarms) { alarms += alarm }
        return AutoCloseable { synchronized(alarms) { alarms -= alarm } }
    }

    fun pass(duration: Duration) {
        synchronized(alarms) { now += duration.inWholeNanoseconds }
        while (true) {
            val due = synchronized(alarms) { alarms.peek()?.takeIf { it.at <= now }?.also { alarms -= it } } ?: return
            due.action.run()
        }
    }
}
