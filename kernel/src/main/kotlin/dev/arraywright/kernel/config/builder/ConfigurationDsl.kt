package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.bytes
import kotlinx.serialization.SerializationException

/** Keeps the keys of one section of a configuration apart from those of the sections around it. */
@DslMarker
@Target(AnnotationTarget.CLASS)
public annotation class ConfigurationDsl

/** Sizes given as text: a bad one fails where all is built, and as one in a file does. */
internal class SizeTexts {
    private var bad: SerializationException? = null

    fun read(text: String): Long? = try {
        bytes(text)
    } catch (e: SerializationException) {
        bad = bad ?: e
        null
    }

    fun check() {
        bad?.let { throw it }
    }
}
