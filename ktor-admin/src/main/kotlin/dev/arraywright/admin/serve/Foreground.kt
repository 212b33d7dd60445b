package dev.arraywright.admin.serve

import kotlinx.coroutines.CompletableDeferred
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A process that works until it is told to end. From construction to [close], SIGTERM and SIGINT end [awaitEnd] and
 * then wait for [close], at most [bound]; the exit code is [exitCode] if it came in time, else 1.
 */
internal class Foreground(private val exitCode: Int = 0, private val bound: Duration = 40.seconds) : AutoCloseable {
    private val asked = CompletableDeferred<Unit>()
    private val ended = CountDownLatch(1)
    private val hook = Thread(::end, "arraywright-end")

    init {
        Runtime.getRuntime().addShutdownHook(hook)
    }

    /** True once the process was told to end. */
    val ending: Boolean get() = asked.isCompleted

    /** Waits until the process is told to end. */
    suspend fun awaitEnd(): Unit = asked.await()

    /** Everything is cleaned up. */
    override fun close() {
        ended.countDown()
        if (!ending) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook)
            } catch (_: IllegalStateException) {
                // The signal came this very moment; the hook runs and finds the latch open.
            }
        }
    }

    /** Without halt(), the exit code of a process that ended as it should would be 143. */
    private fun end() {
        asked.complete(Unit)
        val inTime = ended.await(bound.inWholeMilliseconds, TimeUnit.MILLISECONDS)
        System.out.flush()
        System.err.flush()
        Runtime.getRuntime().halt(if (inTime) exitCode else 1)
    }
}
