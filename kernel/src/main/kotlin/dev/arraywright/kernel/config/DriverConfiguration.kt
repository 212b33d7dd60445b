package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError
import kotlinx.serialization.KSerializer
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.descriptors.PrimitiveKind
import kotlinx.serialization.descriptors.PrimitiveSerialDescriptor
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.encoding.Decoder
import kotlinx.serialization.encoding.Encoder
import kotlinx.serialization.json.JsonDecoder
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonPrimitive
import java.nio.file.InvalidPathException
import java.nio.file.Path

/**
 * What a driver gets from the configuration: its [settings], of which it declares names and types. With a [jar] it is
 * loaded from there before arrays are assembled, unless the drivers' directory has it loaded already.
 */
@Serializable
public data class DriverConfiguration(
    public val settings: Map<
        String,
        @Serializable(with = SettingText::class)
        String,
    > = emptyMap(),
    /** The whole path of the jar that it is loaded from; absent: it is loaded by somebody else, if at all. */
    public val jar: String? = null,
    /** Its class, where the jar has several drivers. */
    public val type: String? = null,
) {
    init {
        require(jar == null || (jar.startsWith("/") && '\u0000' !in jar)) { "drivers: the jar '$jar' is no whole path" }
        require(type == null || (type.isNotBlank() && '\u0000' !in type)) { "drivers: the type is blank, or no class" }
        require(type == null || jar != null) { "drivers: the type $type stands there without a jar" }
    }
}

/** The path that a text is. */
internal fun directory(text: String): Path = path(text, "driverDirectory", "name a directory")

/** The path that [text] is, which stands under [key]. */
internal fun path(text: String, key: String, remedy: String): Path = try {
    Path.of(text)
} catch (e: InvalidPathException) {
    throw KernelError.BadConfiguration(
        "cannot use the configuration",
        "$key: it is no path: ${e.reason}",
        remedy,
        e,
    )
}

/** A text; a number, true and false are taken as they are written. */
internal object SettingText : KSerializer<String> {
    override val descriptor: SerialDescriptor =
        PrimitiveSerialDescriptor("dev.arraywright.Setting", PrimitiveKind.STRING)

    override fun serialize(encoder: Encoder, value: String) {
        encoder.encodeString(value)
    }

    override fun deserialize(decoder: Decoder): String {
        val found = (decoder as? JsonDecoder)?.decodeJsonElement()
        if (found !is JsonPrimitive || found is JsonNull) {
            throw SerializationException("a driver's setting is a text, a number, true or false, not $found")
        }
        return found.content
    }
}
