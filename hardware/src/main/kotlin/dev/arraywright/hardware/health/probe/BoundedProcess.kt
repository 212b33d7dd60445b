package dev.arraywright.hardware.health.probe

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.io.File
import java.io.IOException
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration

/** What a program wrote to its standard output, and its exit status. */
internal class ProcessResult(val output: ByteArray, val exit: Int)

/**
 * Runs a program that may hang or flood: what is not done by [deadline] or writes more than [limit] bytes is killed,
 * and its children with it, as it is when the caller is cancelled.
 */
internal class BoundedProcess(
    private val deadline: Duration,
    private val limit: Int,
) {
    /** Blocks its thread while the program writes. Throws [IOException] if it cannot be run, or was killed. */
    suspend fun run(command: List<String>): ProcessResult = coroutineScope {
        val process = start(command)
        val killed = AtomicReference<String>()
        // Unconfined: neither the deadline nor a cancelled caller may wait for a thread that waits for this process.
        // Undispatched: there is no moment at which it runs unguarded.
        val guard = launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
            try {
                delay(deadline)
                killed.compareAndSet(null, "was not done within $deadline")
            } finally {
                process.kill()
            }
        }
        try {
            val output = process.inputStream.use { it.readNBytes(limit + 1) }
            if (output.size > limit && killed.compareAndSet(null, "wrote more than $limit bytes")) process.kill()
            val exit = process.onExit().await().exitValue()
            killed.get()?.let { throw IOException("${command.first()} $it") }
            ProcessResult(output, exit)
        } finally {
            guard.cancel()
        }
    }

    private fun start(command: List<String>): Process {
        val builder = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
        builder.redirectInput(ProcessBuilder.Redirect.from(File("/dev/null")))
        builder.environment()["LC_ALL"] = "C"
        return builder.start()
    }

    private fun Process.kill() {
        if (!isAlive) return
        descendants().forEach { it.destroyForcibly() }
        destroyForcibly()
    }
}
