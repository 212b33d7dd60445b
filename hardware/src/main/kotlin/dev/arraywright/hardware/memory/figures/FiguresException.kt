package dev.arraywright.hardware.memory.figures

import java.io.IOException

/** A kernel file about memory that does not have the form it should have. */
internal class FiguresException(message: String) : IOException(message)

/** Calls [action] on each line, without making a list of them. */
internal inline fun eachLine(text: String, action: (String) -> Unit) {
    var start = 0
    while (start < text.length) {
        val end = text.indexOf('\n', start).let { if (it < 0) text.length else it }
        if (end > start) action(text.substring(start, end))
        start = end + 1
    }
}

/** A count that is not negative, or [FiguresException]. */
internal fun count(text: String, what: String): Long =
    text.toLongOrNull()?.takeIf { it >= 0 } ?: throw FiguresException("$what is no count: ${text.take(40)}")
