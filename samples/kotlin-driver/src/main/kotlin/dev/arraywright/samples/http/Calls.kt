package dev.arraywright.samples.http

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.future.future
import kotlinx.coroutines.withTimeoutOrNull
import java.net.http.HttpClient
import java.util.concurrent.CompletionException
import java.util.concurrent.ScheduledThreadPoolExecutor
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * The threads and the client of one device, and the way from blocking calls into coroutines. Nothing of it is static and
 * no shared dispatcher is used: their threads would stay, and keep the driver's classes, after it is unloaded.
 */
internal class Calls(name: String, private val timeout: Duration) : AutoCloseable {
    private val executor = ScheduledThreadPoolExecutor(THREADS) { work ->
        Thread(work, name).apply { isDaemon = true }
    }.apply { removeOnCancelPolicy = true }
    private val scope = CoroutineScope(SupervisorJob() as Job + executor.asCoroutineDispatcher())
    private var inFlight = 0
    private var closed = false

    val client: HttpClient = HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NORMAL)
        .connectTimeout(timeout.toJavaDuration())
        .executor(executor)
        .build()

    /**
     * Runs [block] and waits for it, whether the thread is interrupted or not: the mark stays, and the deadline ends it.
     * Null past the deadline.
     *
     * @throws CancellationException if it is closed, before or meanwhile
     */
    fun <T : Any> run(block: suspend () -> T): T? {
        enter()
        try {
            return scope.future { withTimeoutOrNull(timeout) { block() } }.join()
        } catch (e: CompletionException) {
            throw e.cause ?: e
        } finally {
            leave()
        }
    }

    /** Ends what is under way; the last call to go turns off the light. */
    override fun close() {
        val last = synchronized(this) {
            if (closed) return
            closed = true
            inFlight == 0
        }
        scope.cancel()
        if (last) release()
    }

    private fun enter() = synchronized(this) {
        if (closed) throw CancellationException("closed")
        inFlight++
    }

    private fun leave() {
        val last = synchronized(this) { --inFlight == 0 && closed }
        if (last) release()
    }

    private fun release() {
        client.shutdownNow()
        executor.shutdown()
    }

    private companion object {
        const val THREADS = 2
    }
}
