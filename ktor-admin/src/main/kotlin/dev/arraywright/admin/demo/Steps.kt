package dev.arraywright.admin.demo

import kotlinx.serialization.Serializable
import kotlin.time.TimeSource

/** One step of the demo with what came of it. */
@Serializable
internal data class Step(val number: Int, val title: String, val result: String, val millis: Long)

/** Numbers and times the demo's steps, and has each told once it is done. */
internal class Steps(private val tell: (Step) -> Unit) {
    private var number = 0

    /** Takes [block], which returns what the next steps need and what came of it in words. */
    suspend fun <T> step(title: String, block: suspend () -> Pair<T, String>): T {
        val began = TimeSource.Monotonic.markNow()
        val (value, result) = block()
        tell(Step(++number, title, result, began.elapsedNow().inWholeMilliseconds))
        return value
    }
}
