package dev.arraywright.kernel.event

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotBeBlank
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject

class OccurrenceSpec : StringSpec({
    fun json(event: KernelEvent): String = Json.encodeToString(event)

    fun parsed(text: String): KernelEvent = Json.decodeFromString(text)

    "every topic has a class" {
        samples.map { it.topic }.toSet() shouldBe Topic.entries.toSet() - Topic.UNKNOWN
    }

    for ((index, sample) in samples.withIndex()) {
        "${sample.topicText} is read back from JSON as it was" {
            val event = event(index + 1L, sample)
            parsed(json(event)) shouldBe event
            sample.message.shouldNotBeBlank()
            ('\n' in sample.message) shouldBe false
        }
    }

    "an event is one flat object, and what is absent has no field" {
        json(event(17, DeviceFailed("vault", "block:/dev/sdb", 2, "write error"))) shouldBe
            """{"sequence":17,"time":"2026-05-28T20:26:57Z","topic":"device.failed",""" +
            """"message":"block:/dev/sdb failed: write error","subject":"vault","device":"block:/dev/sdb",""" +
            """"slot":2,"cause":"write error"}"""
        Json.parseToJsonElement(json(event(1, ArrayStopped("vault")))).jsonObject.keys shouldBe
            setOf("sequence", "time", "topic", "message", "subject")
    }

    "no field of an occurrence is called as one of the event" {
        for (sample in samples) {
            val keys = OccurrenceSerializer.toJson(sample).keys
            (keys intersect setOf("sequence", "time")) shouldBe emptySet()
            keys.first() shouldBe "topic"
        }
    }

    "fields of a newer version are left out" {
        val text = json(event(3, ArrayDegraded("vault", 1, 5))).dropLast(1) + ""","mood":{"a":[1,2]}}"""
        parsed(text).occurrence shouldBe ArrayDegraded("vault", 1, 5)
    }

    "an unknown topic is kept as it was, with its subject and message" {
        val text = """{"sequence":4,"time":"2026-05-28T20:26:44Z","topic":"moon.rose","message":"over the barn",""" +
            """"subject":"barn","cause":"night","phase":[0.5]}"""
        val event = parsed(text)
        event.topic shouldBe Topic.UNKNOWN
        val unknown = event.occurrence as Occurrence.Unknown
        listOf(unknown.topicText, unknown.subject, unknown.message, unknown.cause) shouldBe
            listOf("moon.rose", "barn", "over the barn", "night")
        json(event) shouldBe text
        event.toString() shouldBe "2026-05-28T20:26:44Z moon.rose barn: over the barn"
    }

    "a known topic whose fields changed is unknown too" {
        val text = """{"sequence":4,"time":"2026-05-28T20:26:44Z","topic":"array.degraded","subject":"vault"}"""
        (parsed(text).occurrence as Occurrence.Unknown).topicText shouldBe "array.degraded"
        json(parsed(text)) shouldBe text
    }

    for (bad in listOf(
        "[]",
        "{}",
        """{"sequence":1,"topic":"array.stopped"}""",
        """{"sequence":"x","time":"2026-05-28T20:26:44Z","topic":"array.stopped","subject":"v"}""",
        """{"sequence":1,"time":"noon","topic":"array.stopped","subject":"v"}""",
        """{"sequence":1,"time":"2026-05-28T20:26:44Z","topic":7}""",
    )) {
        "$bad is no event" {
            shouldThrow<SerializationException> { parsed(bad) }
        }
    }

    "a percentage is within its bounds, whatever the bytes are" {
        for (done in listOf(-1, 0, 1, 999, 1000, 5000, Long.MAX_VALUE)) {
            for (total in listOf(-1, 0, 1, 1000, Long.MAX_VALUE)) (percentOf(done, total) in 0..100) shouldBe true
        }
        percentOf(999, 1000) shouldBe 99
        percentOf(Long.MAX_VALUE / 2, Long.MAX_VALUE) shouldBe 50
    }
})
