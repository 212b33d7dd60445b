package dev.arraywright.admin.cli.protect

import dev.arraywright.admin.Bench
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.json.Json
import kotlin.io.path.exists
import kotlin.io.path.writeText

class EventsSpec : StringSpec({
    suspend fun Bench.events(vararg words: String): List<KernelEvent> =
        run("events", "-o", "json", *words).ok().out.lines().filter {
            it.isNotBlank()
        }.map { Json.decodeFromString(it) }

    "events are shown from a number on, by topic, and the same without the process from its journal" {
        Bench().use { bench ->
            val file = bench.directory.resolve("c.json").also {
                it.writeText("""{"http": {"port": 0}, "nbd": {"port": 0}}""")
            }
            bench.during("serve", "--config", file) {
                bench.run("create", "vault", "--level", "1", "--size", "8MiB", bench.members(2), "--assume-clean").ok()
                bench.run("fail", "vault", "1").ok()
                val all = bench.events()
                all.map { it.sequence } shouldBe (1L..all.size).toList()
                all.map { it.topic } shouldContainAll
                    listOf(Topic.DEVICE_GROUP_CREATED, Topic.DEVICE_FAILED, Topic.ARRAY_DEGRADED)
                bench.events("--since", "2").map { it.sequence } shouldBe (2L..all.size).toList()
                bench.events("--since", "1000") shouldBe emptyList()
                bench.events("--topic", "array.degraded").map {
                    it.topic
                } shouldContainExactly listOf(Topic.ARRAY_DEGRADED)
                bench.events("--topic", "array", "--topic", "device.failed") shouldBe
                    all.filter { it.topic == Topic.DEVICE_FAILED || it.topic.text.startsWith("array.") }
                bench.run("events", "--topic", "array.degraded").ok().out shouldContain "  array.degraded  vault: "
            }
            bench.directory.resolve("c.journal").exists() shouldBe true
            val kept = bench.events("--config", "$file")
            kept.map { it.topic } shouldContainAll
                listOf(Topic.DEVICE_GROUP_CREATED, Topic.ARRAY_DEGRADED, Topic.ARRAY_STOPPED)
            bench.events("--journal", "${bench.directory.resolve("c.journal")}", "--since", "2") shouldBe kept.drop(1)
        }
    }

    "numbers go on after a restart, and a journal can be elsewhere" {
        Bench().use { bench ->
            val file = bench.directory.resolve("c.json").also {
                it.writeText("""{"http": {"port": 0}, "nbd": {"port": 0}}""")
            }
            val journal = bench.directory.resolve("kept")
            bench.during("serve", "--config", file, "--journal", journal) {
                bench.run("create", "vault", "--level", "1", "--size", "8MiB", bench.members(2), "--assume-clean").ok()
            }
            val before = bench.events("--journal", "$journal")
            bench.during("serve", "--config", file, "--journal", journal) {
                bench.events("--since", "1").run {
                    take(before.size) shouldBe before
                    map { it.sequence } shouldBe (1L..size).toList()
                    map { it.topic } shouldContainAll listOf(Topic.ARRAY_ASSEMBLED)
                }
            }
        }
    }

    "what cannot be shown says why" {
        Bench().use { bench ->
            bench.run("events").run {
                code shouldBe 1
                err shouldContain "there is no journal"
                err shouldContain "to do:"
            }
            bench.run("events", "--topic", "device.exploded").run {
                code shouldBe 2
                err shouldContain "there is no topic device.exploded"
            }
            bench.run("events", "--follow").err shouldContain "start arraywright serve"
            bench.run("events", "--since", "-1").code shouldBe 2
        }
    }
})
