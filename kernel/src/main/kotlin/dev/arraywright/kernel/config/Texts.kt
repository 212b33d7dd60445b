package dev.arraywright.kernel.config

import dev.arraywright.spi.device.ByteSize
import kotlinx.serialization.KSerializer
import kotlinx.serialization.SerializationException
import kotlinx.serialization.descriptors.PrimitiveKind
import kotlinx.serialization.descriptors.PrimitiveSerialDescriptor
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder
import kotlinx.serialization.json.JsonDecoder
import kotlinx.serialization.json.JsonPrimitive
import kotlin.time.Duration

/** Bytes as `"200MiB"`; a number is taken too. */
internal object ByteSizeText : KSerializer<Long> {
    override val descriptor: SerialDescriptor =
        PrimitiveSerialDescriptor("dev.arraywright.ByteSize", PrimitiveKind.STRING)

    override fun serialize(encoder: Encoder, value: Long) {
        encoder.encodeString(ByteSize.format(value))
    }

    override fun deserialize(decoder: Decoder): Long =
        bytes(primitive(decoder, "a size such as \"200MiB\"").content)
}

/** The bytes that [text] stands for. */
internal fun bytes(text: String): Long = try {
    ByteSize.parse(text)
} catch (e: IllegalArgumentException) {
    throw SerializationException("${e.message}; write a size such as \"200MiB\"", e)
}

/** A duration as `"30s"`, `"24h"`, `"1h 30m"`. */
internal object DurationText : KSerializer<Duration> {
    override val descriptor: SerialDescriptor =
        PrimitiveSerialDescriptor("dev.arraywright.Duration", PrimitiveKind.STRING)

    override fun serialize(encoder: Encoder, value: Duration) {
        encoder.encodeString(value.toString())
    }

    override fun deserialize(decoder: Decoder): Duration {
        val found = primitive(decoder, WANTED)
        val duration = if (found.isString) Duration.parseOrNull(found.content) else null
        return duration ?: throw SerializationException("not a duration: '${found.content}'; write $WANTED")
    }

    private const val WANTED = "one with its unit, such as \"30s\" or \"24h\""
}

private fun primitive(decoder: Decoder, wanted: String): JsonPrimitive =
    (decoder as? JsonDecoder)?.decodeJsonElement() as? JsonPrimitive
        ?: throw SerializationException("neither text nor number; write $wanted")
