package dev.arraywright.lab

import dev.arraywright.kernel.event.Topic
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/**
 * [BalloonProgram] runs in a guest of 2 GiB once. When the host wants more, it has 192 MiB in idle buffers and an array
 * of some 150 MiB in the read cache.
 */
class BalloonSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64")
    val lab = Lab()
    afterSpec { lab.close() }
    var log = emptyList<String>()

    fun line(start: String): String = log.firstOrNull { it.startsWith(start) } ?: error("no $start in $log")

    fun String.number(name: String): Long = substringAfter("$name=").takeWhile(Char::isDigit).toLong()

    fun events(topic: Topic) = log.filter { it.startsWith("EVENT ") && it.split(' ')[2] == topic.name }

    "the guest boots, and the program gets through" {
        log = lab.run("BalloonProgram", heap = "96m")
    }

    "the balloon is seen, and is a source of pressure" {
        line("AVAILABLE") shouldBe "AVAILABLE true null"
        log.filter { it.startsWith("SOURCE") && "source=balloon, active=true" in it }.size shouldBe 1
    }

    "pressure is told with its source, and the idle buffers are given back" {
        events(Topic.MEMORY_PRESSURE).first() shouldContain "are short"
        val rounds = log.filter { it.startsWith("ROUND") }
        rounds.map { it.substringAfter("source=").substringBefore(']') }.toSet() shouldBeIn
            listOf(setOf("available", "balloon"), setOf("available"), setOf("balloon"))
        events(Topic.MEMORY_RELEASED).first() shouldContain "buffers"
    }

    "the array's cache shrinks after them, by what they do not have" {
        events(Topic.MEMORY_RELEASED).any { "read cache 0" !in it && "read cache" in it } shouldBe true
        line("CACHED").number("cached") shouldBeGreaterThan 128
        line("INFLATED").number("cached") shouldBeLessThan line("CACHED").number("cached")
    }

    "the process becomes smaller by what it gave back" {
        line("FILLED").number("idle") shouldBeGreaterThan 191
        line("INFLATED").number("less") shouldBeGreaterThan 192
        line("INFLATED").number("idle") shouldBeLessThan 64
    }

    "the host has the memory" {
        val held = log.filter {
            it.startsWith("guest RSS on this machine")
        }.map { it.filter(Char::isDigit).toLong() shr 10 }
        held[0] - held[1] shouldBeGreaterThan 128
    }

    "once the host gives it back pressure is over, and the pool grows again" {
        events(Topic.MEMORY_PRESSURE).last() shouldContain "memory suffices again"
        val (lowest, now) = listOf("LIMIT ", "GROWS ").map { line(it).substringAfter(' ').toLong() }
        now shouldBeGreaterThan lowest
    }
})
