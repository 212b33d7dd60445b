package dev.arraywright.admin.control.protect

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.PolicyConfiguration
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject

/**
 * The policy as `NAME=VALUE`, with the names and the values of the configuration file, so that what is wrong in one is
 * wrong in the other, for the same reason. Names of a part have a dot before them: `latency.factor`.
 */
internal object PolicySettings {
    /** What is written for a setting that is not set. */
    const val NONE = "none"
    private val json = Json { encodeDefaults = true }

    fun of(policy: PolicyConfiguration): Map<String, String> = policy.settings().mapValues { it.value ?: NONE }

    /**
     * The policy with these [settings] changed.
     *
     * @throws KernelError.InvalidRequest if one is unknown, with the nearest that is known, or has no such value
     */
    fun changed(policy: PolicyConfiguration, settings: Map<String, String>): PolicyConfiguration {
        val changed = settings.entries.fold(tree(policy)) { tree, (name, value) -> with(tree, name.split('.'), value) }
        return try {
            Configuration.parse(JsonObject(mapOf("policy" to changed)).toString(), "policy").policy
        } catch (e: KernelError.BadConfiguration) {
            val what = "cannot set ${settings.entries.joinToString { "${it.key}=${it.value}" }}"
            throw KernelError.InvalidRequest(what, e.why, "see what there is with: arraywright policy show", e)
        }
    }

    private fun tree(policy: PolicyConfiguration): JsonObject =
        json.encodeToJsonElement(PolicyConfiguration.serializer(), policy).jsonObject

    private fun with(tree: JsonObject, path: List<String>, value: String): JsonObject {
        val name = path.first()
        val new: JsonElement = when {
            path.size > 1 -> with(tree[name] as? JsonObject ?: JsonObject(emptyMap()), path.drop(1), value)
            value == NONE -> JsonNull
            else -> JsonPrimitive(value)
        }
        return JsonObject(tree + (name to new))
    }
}
