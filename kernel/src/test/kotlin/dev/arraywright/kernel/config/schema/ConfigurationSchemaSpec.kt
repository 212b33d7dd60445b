package dev.arraywright.kernel.config.schema

import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.PrimitiveKind
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.elementNames
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.encodeToJsonElement
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The schema beside the classes: the same keys, kinds and defaults. */
@OptIn(ExperimentalSerializationApi::class)
class ConfigurationSchemaSpec : StringSpec({
    val schema = Json.parseToJsonElement(Configuration.schema()).jsonObject
    val json = Json { encodeDefaults = true }
    val defaults = mapOf(
        "Configuration" to json.encodeToJsonElement(Configuration()),
        "ArrayConfiguration" to json.encodeToJsonElement(ArrayConfiguration("a", listOf("memory:1MiB"))),
        "ExportConfiguration" to json.encodeToJsonElement(ExportConfiguration("a")),
        "SpareConfiguration" to json.encodeToJsonElement(SpareConfiguration("memory:1MiB")),
        "DriverConfiguration" to json.encodeToJsonElement(DriverConfiguration()),
    )

    fun resolved(node: JsonElement): JsonObject {
        val there = node.jsonObject
        val path = there["\$ref"]?.jsonPrimitive?.content ?: return there
        val target = path.removePrefix("#/").split("/").fold(schema) { at, key -> at.getValue(key).jsonObject }
        return JsonObject(resolved(target) + there)
    }

    fun alternatives(node: JsonElement): List<JsonObject> = resolved(node).let { there ->
        there["anyOf"]?.jsonArray?.flatMap { alternatives(it) } ?: listOf(there)
    }

    fun types(node: JsonElement): Set<String> = alternatives(node).flatMapTo(HashSet()) {
        when (val type = it["type"]) {
            is JsonArray -> type.map { one -> one.jsonPrimitive.content }
            is JsonPrimitive -> listOf(type.content)
            else -> listOf("string").also { _ -> it["const"].shouldNotBeNull() }
        }
    }

    lateinit var section: (String, SerialDescriptor, JsonObject, JsonObject) -> Unit

    fun value(path: String, descriptor: SerialDescriptor, node: JsonElement, default: JsonElement?) {
        withClue("$path in the schema") {
            ("null" in types(node)) shouldBe descriptor.isNullable
            val plain = alternatives(node).first()
            when (descriptor.kind) {
                PrimitiveKind.INT, PrimitiveKind.LONG -> {
                    types(node) - "null" shouldBe setOf("integer")
                    plain.keys shouldContainAll listOf("minimum", "maximum")
                }
                PrimitiveKind.DOUBLE -> types(node) shouldBe setOf("number")
                PrimitiveKind.BOOLEAN -> types(node) shouldBe setOf("boolean")
                PrimitiveKind.STRING -> types(node) shouldContain "string"
                StructureKind.LIST -> {
                    types(node) shouldBe setOf("array")
                    value("$path[]", descriptor.getElementDescriptor(0), plain.getValue("items"), null)
                }
                StructureKind.MAP -> {
                    types(node) shouldBe setOf("object")
                    value("$path{}", descriptor.getElementDescriptor(1), plain.getValue("additionalProperties"), null)
                }
                else -> {
                    val type = descriptor.serialName.removeSuffix("?").substringAfterLast('.')
                    val inner = default as? JsonObject ?: defaults.getValue(type).jsonObject
                    section(path, descriptor, alternatives(node).single { "properties" in it }, inner)
                }
            }
        }
    }

    section = { path, descriptor, node, default ->
        val properties = node.getValue("properties").jsonObject
        withClue("$path: the keys") { properties.keys shouldBe descriptor.elementNames.toSet() }
        node["additionalProperties"] shouldBe JsonPrimitive(false)
        val required = descriptor.elementNames.filterIndexed { index, _ -> !descriptor.isElementOptional(index) }
        withClue("$path: what must be there") {
            node["required"]?.jsonArray.orEmpty().map { it.jsonPrimitive.content } shouldBe required
        }
        descriptor.elementNames.forEachIndexed { index, key ->
            val element = descriptor.getElementDescriptor(index)
            val property = properties.getValue(key)
            value("$path.$key", element, property, default[key])
            withClue("$path.$key: the description") { resolved(property)["description"].shouldNotBeNull() }
            withClue("$path.$key: the default") {
                val expected = default[key].takeUnless { key in required || it is JsonNull }
                resolved(property)["default"] shouldBe expected.takeUnless { element.kind == StructureKind.CLASS }
            }
        }
    }

    "the schema has the keys, kinds and defaults of the classes" {
        val root = Configuration.serializer().descriptor
        section("", root, schema, defaults.getValue("Configuration").jsonObject)
    }

    "the schema has the levels" {
        val array = schema.getValue("\$defs").jsonObject.getValue("array").jsonObject
        val level = array.getValue("properties").jsonObject.getValue("level").jsonObject
        level.getValue("enum").jsonArray shouldBe
            RaidLevel.entries.map { JsonPrimitive(it.toString()) } + JsonNull
    }

    "every definition of the schema is used" {
        val used = Regex("\"#/\\\$defs/(\\w+)\"").findAll(Configuration.schema()).map { it.groupValues[1] }.toSet()
        schema.getValue("\$defs").jsonObject.keys shouldBe used
    }

    "the key \$schema is kept, at the top of what is printed" {
        val read = Configuration.parse("""{ "watch": false, "${'$'}schema": "./arraywright.schema.json" }""", "test")
        read.print().lines()[1].trim() shouldBe """"${'$'}schema": "./arraywright.schema.json","""
        Configuration.parse(read.print(), "printed") shouldBe read
        ("schema" in Configuration().print()) shouldBe false
    }
})
