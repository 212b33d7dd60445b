package dev.arraywright.kernel.config.schema

import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.configuration
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.ranges.shouldBeIn
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.elementDescriptors
import kotlinx.serialization.descriptors.elementNames
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlin.random.Random

private const val ONE = """{"name":"a","members":["x"]}"""

/** The reader says [reason] of what the schema takes, as of [example]. */
private class Beyond(val kind: String, val reason: String, val example: String)

private fun array(more: String) = """{"arrays":[{"name":"a","members":["x"],$more}]}"""

/** What the reader refuses although the schema takes it. */
private val BEYOND_THE_SCHEMA = listOf(
    // Of several keys.
    Beyond("a name twice", "arrays: the name", """{"arrays":[$ONE,{"name":"a","members":["y"]}]}"""),
    Beyond("a member twice", "arrays: the member", """{"arrays":[$ONE,{"name":"b","members":["x"]}]}"""),
    Beyond(
        "an export twice",
        "arrays: the export name",
        """{"arrays":[{"name":"a","members":["x"],"export":{"name":"e"}},
            {"name":"b","members":["y"],"export":{"name":"e"}}]}""",
    ),
    Beyond("a spare twice", "spares: ", """{"spares":["x",{"address":"x"}]}"""),
    Beyond("warning above critical", "health: the warning temperature", """{"health":{"temperatureWarning":81}}"""),
    Beyond("wearWarning above wornOut", "health: the wear to warn at", """{"health":{"wearWarning":101}}"""),
    Beyond("ceiling below floor", "is below the floor", """{"policy":{"rebuildCeiling":"1KiB"}}"""),
    Beyond("warnedPeriod beyond 1s to period", "health: the warned period", """{"health":{"warnedPeriod":"1h"}}"""),
    Beyond("a type without a jar", "stands there without a jar", """{"drivers":{"d":{"type":"t"}}}"""),
    // Of one text: no pattern says how much it stands for.
    Beyond("period below 1s", "health: the period", """{"health":{"period":"10ms"}}"""),
    Beyond("deadline beyond 1s to 5m", "health: the deadline", """{"health":{"deadline":"6m"}}"""),
    Beyond("throttleDelay above 1s", "policy: the throttle delay", """{"policy":{"throttleDelay":"2s"}}"""),
    Beyond("a time that rounds to none", "above 0", """{"memberDeadline":"0.0000000001ns"}"""),
    Beyond("a time that is too long", "not a duration", """{"memberDeadline":"99999999999999999999d"}"""),
    Beyond("a size of no whole bytes, or above 2^63-1", "not a size", """{"memory":{"readCache":"0.3KiB"}}"""),
    Beyond("a chunk above 2^31-1", "a chunk has not", array(""""chunk":"4GiB"""")),
    Beyond("a bitmap of no power of two", "is no power of two", array(""""bitmap":"5000"""")),
    // Of one number: to JSON schema 5.0 is a whole one.
    Beyond("a whole number with a fraction of 0", "'.'", """{"nbd":{"port":5.0}}"""),
)

private const val ALL_KEYS = """
{ "${'$'}schema": "s", "arrays": [ { "name": "a", "members": ["x"], "export": { "name": "e", "description": "d",
    "readOnly": true }, "spares": ["y"], "domains": { "x": "r" }, "level": "raid1", "chunk": "64KiB",
    "bitmap": "auto" } ],
  "nbd": { "host": "h", "port": 1, "socket": "s", "allowRemote": true }, "http": { "host": "h", "port": 1 },
  "policy": { "healthCheckInterval": "1s", "rebuildPriority": 1, "autoFailover": true, "maxConcurrentRebuilds": 2,
    "throttleDelay": "1ms", "rebuildFloor": "1KiB", "rebuildCeiling": "1MiB", "readErrorLimit": 1,
    "readErrorWindow": "1s", "spareCheckInterval": "1s", "scrubInterval": "1s", "retryDelay": "1s",
    "latency": { "ratio": 2, "deviations": 1, "minimumSamples": 1, "floor": "1s", "persistently": "1s" } },
  "spares": [ "s", { "address": "t", "domain": "r" } ], "memberDeadline": "1s",
  "health": { "period": "1h", "warnedPeriod": "30s", "deadline": "1s", "temperatureWarning": 5,
    "temperatureCritical": 200, "temperatureHysteresis": 2, "spareWarning": 2, "wearWarning": 2, "wornOut": 255,
    "mediaErrorsPerDay": 2, "ioErrorsPerDay": 2, "reallocatedSectors": 2, "pendingSectors": 2,
    "uncorrectableSectors": 2, "lifeWarning": "1s", "latencyWarning": "1s" },
  "memory": { "reserve": "1MiB", "readCache": "1MiB" }, "watch": false,
  "drivers": { "d": { "settings": { "k": "v" }, "jar": "/j", "type": "t" } }, "driverDirectory": "/d", "sharedPackages": ["p.**"],
  "maxLoadedDrivers": 3 }
"""

@OptIn(ExperimentalSerializationApi::class)
class SchemaPropertySpec : StringSpec({
    val descriptor = Configuration.serializer().descriptor

    fun keys(of: SerialDescriptor): Set<String> {
        val own = if (of.kind == StructureKind.CLASS) of.elementNames.toSet() else emptySet()
        return own + of.elementDescriptors.flatMap { keys(it) }
    }

    "every configuration that is printed is right by the schema" {
        repeat(300) { seed ->
            val text = Random(seed).configuration().print()
            withClue("seed $seed: $text") { Validating.complaints(text).shouldBeEmpty() }
        }
    }

    /** Fails unless reader and schema agree on [element], or disagree in a known way; whether the reader takes it. */
    fun agreed(element: JsonElement): Boolean {
        val refusal = Validating.refusal(element.toString())
        val complaints = Validating.complaints(element.unquoted(descriptor).toString())
        if (refusal == null) {
            withClue("the reader takes it") { complaints.shouldBeEmpty() }
        } else if (complaints.isEmpty()) {
            withClue("only the reader refuses: $refusal") {
                BEYOND_THE_SCHEMA.filter { it.reason in refusal }.shouldNotBeEmpty()
            }
        }
        return refusal == null
    }

    "what the reader takes the schema takes, and what only the reader refuses is of a known kind" {
        val taken = (0 until 6000).count { seed ->
            val random = Random(seed)
            var element = Json.parseToJsonElement(random.configuration().print())
            repeat(random.nextInt(1, 4)) { element = random.mutated(element) }
            withClue("seed $seed: $element") { agreed(element) }
        }
        // Else the mutations are of no use.
        taken shouldBeIn 500..4000
    }

    "so it is with any value at any key" {
        val all = Json.parseToJsonElement(ALL_KEYS)
        agreed(all).shouldBeTrue()
        val missing = keys(descriptor).filterNot { "\"$it\":" in ALL_KEYS }
        withClue("keys to try") { missing.shouldBeEmpty() }
        val variants = variants(all).toList()
        variants.forEach { withClue("$it") { agreed(it) } }
        variants.size shouldBeGreaterThan 4000
    }

    for (one in BEYOND_THE_SCHEMA) {
        "beyond the schema: ${one.kind}" {
            Validating.complaints(one.example).shouldBeEmpty()
            Validating.refusal(one.example).shouldNotBeNull() shouldContain one.reason
        }
    }

    "a number or a word in quotes is read, and the schema advises against it" {
        for (text in listOf("""{"nbd":{"port":"7"}}""", """{"watch":"true"}""", """{"maxLoadedDrivers":"7"}""")) {
            Validating.refusal(text).shouldBeNull()
            Validating.complaints(text).shouldNotBeEmpty()
            Validating.complaints(Json.parseToJsonElement(text).unquoted(descriptor).toString()).shouldBeEmpty()
        }
    }

    val times = listOf(
        "30s",
        "1h 30m",
        "1h30m",
        "1h  30m",
        "1.5h",
        "1d 2h 3m 4s 5ms 6us 7ns",
        "1m30s",
        "01h",
        "PT30S",
        "P1D",
        "P1DT2H3M4.5S",
        "Infinity",
        "4.005006007s",
        "5",
        "",
        " ",
        "30s ",
        " 30s",
        "1.5h 3m",
        ".5s",
        "5.s",
        "3m 1h",
        "1h 1h",
        "pt30s",
        "P",
        "PT",
        "PT1H 30M",
        "1H",
        "P1W",
        "PT1.5H",
        "(1h)",
        "1 h",
        "1e3s",
        "-30s",
        "-(1h 30m)",
        "s",
        "ms",
        "1m 1ms",
        "1ms 1m",
        "0s",
        "0.0s",
        "PT0S",
        "0h 0m 1s",
    )
    for (text in times) {
        "a time is one to the schema as to the reader: '${text.replace(' ', '_')}'" {
            for (file in listOf("""{"memberDeadline":"$text"}""", """{"policy":{"latency":{"floor":"$text"}}}""")) {
                withClue(Validating.refusal(file)) {
                    Validating.complaints(file).isEmpty() shouldBe (Validating.refusal(file) == null)
                }
            }
        }
    }

    val sizes = listOf(
        "4096",
        "64KiB",
        "64KIB",
        "64K",
        "64k",
        "64kb",
        "1.5GiB",
        "1.GiB",
        ".5KiB",
        " 1 MiB ",
        "7b",
        "1PiB",
        "0",
        "0KiB",
        "",
        "KiB",
        "1.2.3K",
        "-1",
        "1EiB",
        "1KiBB",
        "1 K i B",
        "1_000",
        "0x10",
        "1e3",
        "much",
    )
    for (text in sizes) {
        "a size is one to the schema as to the reader: '${text.replace(' ', '_')}'" {
            for (file in listOf("""{"memory":{"reserve":"$text"}}""", """{"memory":{"readCache":"$text"}}""")) {
                withClue(Validating.refusal(file)) {
                    Validating.complaints(file).isEmpty() shouldBe (Validating.refusal(file) == null)
                }
            }
        }
    }
})
