package dev.arraywright.kernel.config.schema

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlin.random.Random

private val VALUES = """
    [ null, true, false,
      0, -1, 1, 2, 5, 20, 21, 100, 101, 200, 201, 255, 256, 65535, 65536, 2147483647,
      2147483648, 99999999999999999999, 5.0, 1.5, -0.5,
      "", " ", "0", "7", "5000", "64MiB", "1KiB", "1.5KiB", "0.3KiB", "9999999999TiB", "-1s", "0s", "1ms", "2s", "30s",
      "10m", "1h 30m", "PT30S", "1.5h 3m", "Infinity", "99999999999999999999d", "auto", "raid5", "raid7", "abc", "A b",
      "org.slf4j.**", "org.slf4j.*", "file:/shared0", "/d/x.jar", "d/x.jar", "memory:1MiB#a0", "a0", [], {}, ["x"], ["x", "x"], {"x": "y"},
      {"name": "a0"}, {"name": "z", "members": ["q"]}, [{"name": "z", "members": ["q"]}], {"address": "x"} ]
""".let {
    Json.parseToJsonElement(it) as JsonArray
}

private val KEYS = listOf(
    "arrays",
    "nbd",
    "policy",
    "latency",
    "spares",
    "memberDeadline",
    "health",
    "memory",
    "watch",
    "drivers",
    "settings",
    "jar",
    "type",
    "driverDirectory",
    "sharedPackages",
    "maxLoadedDrivers",
    "\$schema",
    "name",
    "members",
    "export",
    "domains",
    "level",
    "chunk",
    "bitmap",
    "socket",
    "domain",
    "reserve",
    "readCache",
    "scrubInterval",
    "rebuildCeiling",
    "x",
    "a.b",
    "A",
)

/** [element] with, in turn, each value in each place, each key left out, and one more in each object. */
internal fun variants(element: JsonElement): Sequence<JsonElement> = sequence {
    yieldAll(VALUES)
    if (element is JsonObject) {
        yield(JsonObject(element + ("x" to VALUES[1])))
        for ((key, value) in element) {
            yield(JsonObject(element - key))
            yieldAll(variants(value).map { JsonObject(element + (key to it)) })
        }
    } else if (element is JsonArray) {
        element.forEachIndexed { at, value ->
            yieldAll(variants(value).map { JsonArray(element.toMutableList().apply { set(at, it) }) })
        }
    }
}

/** [element] with something else in one place. */
internal fun Random.mutated(element: JsonElement): JsonElement = when {
    element is JsonObject && element.isNotEmpty() && nextInt(6) > 0 -> {
        val (key, value) = element.entries.random(this)
        JsonObject(element + (key to mutated(value)))
    }
    element is JsonObject && nextInt(3) > 0 -> when (nextInt(3)) {
        0 -> JsonObject(element.filterKeys { nextInt(4) > 0 })
        1 -> JsonObject(element + (KEYS.random(this) to VALUES.random(this)))
        else -> JsonObject(element.mapKeys { (key, _) -> if (nextInt(4) == 0) KEYS.random(this) else key })
    }
    element is JsonArray && element.isNotEmpty() && nextInt(4) > 0 -> {
        val at = nextInt(element.size)
        JsonArray(element.mapIndexed { index, it -> if (index == at) mutated(it) else it })
    }
    element is JsonArray && nextInt(3) > 0 -> JsonArray(element + (element + VALUES).random(this))
    else -> VALUES.random(this)
}
