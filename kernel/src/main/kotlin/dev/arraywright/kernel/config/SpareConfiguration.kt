package dev.arraywright.kernel.config

import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.JsonTransformingSerializer

/** A shared spare; its address alone may stand for it. [domain] is its failure domain: enclosure, node, host. */
@Serializable
public data class SpareConfiguration(
    public val address: String,
    public val domain: String? = null,
) {
    init {
        require(address.isNotBlank()) { "spares: an address is blank" }
    }
}

/** `"file:/s.img"` for `{ "address": "file:/s.img" }`. */
internal object SpareOrAddress : JsonTransformingSerializer<SpareConfiguration>(SpareConfiguration.serializer()) {
    override fun transformDeserialize(element: JsonElement): JsonElement =
        if (element is JsonPrimitive && element.isString) JsonObject(mapOf("address" to element)) else element

    override fun transformSerialize(element: JsonElement): JsonElement =
        (element as? JsonObject)?.entries?.singleOrNull { it.value !is kotlinx.serialization.json.JsonNull }
            ?.takeIf { it.key == "address" }?.value ?: element
}
