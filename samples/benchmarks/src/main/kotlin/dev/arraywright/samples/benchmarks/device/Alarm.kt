package dev.arraywright.samples.benchmarks.device

import java.util.concurrent.DelayQueue
import java.util.concurrent.Delayed
import java.util.concurrent.TimeUnit

/** Runs actions when their time has come, on one thread; they must be short. */
internal class Alarm : AutoCloseable {
    private val queue = DelayQueue<Due>()
    private val thread = Thread.ofPlatform().daemon().name("model disks").start {
        try {
            while (true) queue.take().action()
        } catch (_: InterruptedException) {
            queue.clear()
        }
    }

    /** Has [action] run once `System.nanoTime()` is [at]. */
    fun at(at: Long, action: () -> Unit) {
        queue.add(Due(at, action))
    }

    override fun close() {
        thread.interrupt()
    }

    private class Due(val at: Long, val action: () -> Unit) : Delayed {
        override fun getDelay(unit: TimeUnit): Long = unit.convert(at - System.nanoTime(), TimeUnit.NANOSECONDS)

        override fun compareTo(other: Delayed): Int = (at - (other as Due).at).compareTo(0)
    }
}
