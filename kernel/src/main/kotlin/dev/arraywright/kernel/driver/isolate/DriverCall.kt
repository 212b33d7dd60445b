package dev.arraywright.kernel.driver.isolate

import dev.arraywright.spi.driver.DriverException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import java.io.PrintWriter
import java.io.StringWriter
import java.lang.reflect.InvocationTargetException
import kotlin.coroutines.resume
import kotlin.time.Duration

/** How a call into a driver went. Nothing of a failed one is an object of the driver's. */
public sealed interface CallOutcome<out T> {
    /** It came back in time. */
    public class Returned<T>(public val value: T) : CallOutcome<T>

    /** It threw. */
    public class Failed(public val failure: FailureText) : CallOutcome<Nothing>

    /** It hangs, at [stack]; it was interrupted and left alone, and its thread lives on if that did not help. */
    public class Late(public val stack: String) : CallOutcome<Nothing>
}

/**
 * What a driver threw, in words: an exception holds its class, and that all of the driver.
 *
 * @property type the class's name
 * @property reason of a [DriverException], null of anything else
 */
public data class FailureText(
    val type: String,
    val reason: DriverException.Reason?,
    val message: String,
    val remedy: String,
    val stack: String,
) {
    internal companion object {
        private const val STACK_LENGTH = 8_192
        private const val MESSAGE_LENGTH = 1_024

        /** Runs code of the exception's class, so only to be called on the driver's own thread. */
        fun of(thrown: Throwable): FailureText {
            val told = generateSequence(thrown) {
                if (it is InvocationTargetException || it is ExceptionInInitializerError) it.cause else null
            }.last()
            val known = told as? DriverException
            val type = told.javaClass.name
            return try {
                val stack = StringWriter().also {
                    thrown.printStackTrace(PrintWriter(it))
                }.toString().take(STACK_LENGTH)
                val message = (known?.message ?: told.toString()).take(MESSAGE_LENGTH)
                FailureText(type, known?.reason(), message, known?.remedy().orEmpty().take(MESSAGE_LENGTH), stack)
            } catch (_: Throwable) {
                FailureText(type, null, "$type, which fails to say more", "", "")
            }
        }
    }
}

/** Runs code of drivers on threads of its own: one that hangs, throws or leaves something behind harms no other. */
internal object DriverCall {
    private const val FRAMES = 30

    /**
     * Runs [block] on a new daemon thread that inherits nothing of this one and has [loader] as its context. Past the
     * [deadline], or when the caller is cancelled, the thread is interrupted and left alone; a value that comes after
     * that goes to [unused], on that thread.
     */
    suspend fun <T> apart(
        title: String,
        loader: ClassLoader?,
        deadline: Duration,
        unused: (T) -> Unit = {},
        block: () -> T,
    ): CallOutcome<T> {
        var outcome: CallOutcome<T>? = null
        val discard = { late: CallOutcome<T> -> if (late is CallOutcome.Returned) unused(late.value) }
        var stack = ""
        try {
            withTimeoutOrNull(deadline) {
                outcome = suspendCancellableCoroutine { continuation ->
                    val thread = Thread.ofPlatform().daemon().inheritInheritableThreadLocals(
                        false,
                    ).name(title).unstarted {
                        val result = run(block)
                        continuation.resume(result) { _, late, _ ->
                            // The interrupt was for the call, not for cleaning up after it.
                            Thread.interrupted()
                            discard(late)
                        }
                        Thread.currentThread().contextClassLoader = null
                    }
                    thread.contextClassLoader = loader
                    continuation.invokeOnCancellation {
                        stack = thread.stackTrace.take(FRAMES).joinToString("\n") { "\tat $it" }
                        thread.interrupt()
                    }
                    try {
                        thread.start()
                    } catch (e: OutOfMemoryError) {
                        // There is none left, which drivers that leave theirs behind may bring about.
                        continuation.resume(CallOutcome.Failed(FailureText.of(e)))
                    }
                }
            }
        } catch (e: CancellationException) {
            outcome?.let(discard)
            throw e
        }
        return outcome ?: CallOutcome.Late(stack)
    }

    private fun <T> run(block: () -> T): CallOutcome<T> = try {
        CallOutcome.Returned(block())
    } catch (e: Throwable) {
        CallOutcome.Failed(FailureText.of(e))
    }
}
