package dev.arraywright.kernel.config.schema

import com.networknt.schema.InputFormat
import com.networknt.schema.SchemaRegistry
import com.networknt.schema.SpecificationVersion
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.PrimitiveKind
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** The schema as a validator that knows nothing of Arraywright reads it. */
internal object Validating {
    private val schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
        .getSchema(Configuration.schema(), InputFormat.JSON)

    /** What the schema has against [text], which has no comments. */
    fun complaints(text: String): List<String> = schema.validate(text, InputFormat.JSON).map { it.toString() }

    /** Why [text] is refused, or null. */
    fun refusal(text: String): String? = try {
        Configuration.parse(text, "test")
        null
    } catch (e: KernelError.BadConfiguration) {
        e.why
    }
}

/** JSON as the configuration file may be. */
@OptIn(ExperimentalSerializationApi::class)
internal val tolerant = Json {
    allowComments = true
    allowTrailingComma = true
}

/** The same with each number, true and false that stands in quotes without them: the library reads both. */
@OptIn(ExperimentalSerializationApi::class)
internal fun JsonElement.unquoted(descriptor: SerialDescriptor): JsonElement = when (this) {
    is JsonObject -> when (descriptor.kind) {
        StructureKind.CLASS -> JsonObject(
            mapValues { (key, value) ->
                val index = descriptor.getElementIndex(key)
                if (index < 0) value else value.unquoted(descriptor.getElementDescriptor(index))
            },
        )
        StructureKind.MAP -> JsonObject(mapValues { it.value.unquoted(descriptor.getElementDescriptor(1)) })
        else -> this
    }
    is JsonArray -> if (descriptor.kind == StructureKind.LIST) {
        JsonArray(map { it.unquoted(descriptor.getElementDescriptor(0)) })
    } else {
        this
    }
    is JsonPrimitive -> if (isString) unquoted(content, descriptor) ?: this else this
}

@OptIn(ExperimentalSerializationApi::class)
private fun unquoted(text: String, descriptor: SerialDescriptor): JsonPrimitive? = when (descriptor.kind) {
    PrimitiveKind.BOOLEAN -> text.toBooleanStrictOrNull()?.let(::JsonPrimitive)
    PrimitiveKind.INT, PrimitiveKind.LONG -> text.toBigDecimalOrNull()?.let(::JsonPrimitive)
    // Java's 5d and 5f are numbers there, too.
    PrimitiveKind.DOUBLE -> text.toDoubleOrNull()?.takeIf { it.isFinite() }?.let(::JsonPrimitive)
    else -> null
}
