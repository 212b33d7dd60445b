package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.io.path.div

class DriverDescriptorSpec : StringSpec({
    val file = tempdir().toPath() / "scanned.jar"
    val annotation = """supportedDevices = {"ram", "block:ram*"}, requires = {"fabric  ^1.2", "clock"}"""

    fun scan(json: String, jar: DriverJar = ramJar(annotation)) =
        DriverScanner().scan(jar.descriptor(json).writeTo(file))

    fun json(more: String = "", id: String = "ram", type: String = RAM, version: String = "1.0.0") =
        """{ "id": "$id", "entryType": "$type", "version": "$version" $more }"""

    "a descriptor that agrees names the driver, and the annotation tells the rest" {
        val expected = DriverScanner().infos(ramJar(annotation).writeTo(file))
        val full = """, "requires": ["clock", "fabric ^1.2"], "supportedDevices": ["block:ram*", "ram"],
            "description": "A driver for specs", "minimumPlatform": "0.1.0", "autoLoad": true,
            "opensBeside": false"""
        scan(json()).infos() shouldBe expected
        scan(json(full)).infos() shouldBe expected
        scan("[${json()}]").infos() shouldBe expected
    }

    "only the classes that it names are read" {
        fun jar() = DriverJar().source(RAM, driverSource(RAM))
            .source("org.example.Two", driverSource("org.example.Two"))
            .source("org.example.Bad", driverSource("org.example.Bad", version = "bad"))
        scan(json(), jar()) shouldName listOf("ram")
        scan("[${json()}, ${json(id = "two", type = "org.example.Two")}]", jar()) shouldName listOf("ram", "two")
        scan(json(), ramJar(annotation).entry("Junk.class", ByteArray(5))) shouldName listOf("ram")
    }

    "a contradiction names both values" {
        val contradictions = mapOf(
            json(id = "rom") to "the id of $RAM is 'rom' in .* and 'ram' in its @StorageDriver",
            json(version = "1.0.1") to "the version of $RAM is '1.0.1' in .* and '1.0.0'",
            json(""", "requires": ["clock"]""") to "requires .* '\\[clock]' .* '\\[clock, fabric \\^1.2]'",
            json(""", "requires": ["clock", "?"]""") to "requires .* '\\[\\?, clock]'",
            json(""", "description": "Other"""") to "description .* 'Other' .* 'A driver for specs'",
            json(""", "supportedDevices": ["ram"]""") to "supportedDevices .* '\\[ram]' .* '\\[block:ram\\*, ram]'",
            json(""", "minimumPlatform": "0.0.1"""") to "minimumPlatform .* '0.0.1' .* '0.1.0'",
            json(""", "autoLoad": false""") to "autoLoad .* 'false' .* 'true'",
            json(""", "opensBeside": true""") to "opensBeside .* 'true' .* 'false'",
            json(type = "org/example/Ram") to "entryType .* 'org/example/Ram' .* 'org.example.Ram'",
        )
        for ((json, why) in contradictions) {
            val found = scan(json).whyRejected()
            withClue(found) { Regex("contradicts itself: (the )?.*$why.*").matches(found) shouldBe true }
        }
    }

    "a descriptor that makes no sense" {
        val bad = mapOf(
            "" to "has a bad META-INF/arraywright/driver.json",
            "[]" to "it lists no driver",
            "{}" to "id, entryType, version",
            json(""", "nmae": 1""") to "'nmae'",
            json(""", "autoLoad": "perhaps"""") to "autoLoad",
            "[".repeat(100_000) to "has a bad",
            "[${"{\"id\":".repeat(20_000)}" to "has a bad",
            json() + " ".repeat(300_000) to "has an entry of more than 262144 bytes",
            json(type = "org.example.Rom") to "names the entry type 'org.example.Rom' .* and has no such class",
            "[${json()}, ${json()}]" to "has two drivers named 'ram'",
        )
        for ((json, why) in bad) {
            val found = scan(json).whyRejected()
            withClue(json.take(80) + " -> " + found) { Regex(".*$why.*").matches(found) shouldBe true }
        }
        val notText = ramJar().entry(DriverDescriptor.ENTRY, byteArrayOf('"'.code.toByte(), -1, -2))
        DriverScanner().scan(notText.writeTo(file)).whyRejected() shouldContain "it is not UTF-8"
    }

    "a class without the annotation is no driver, whatever the descriptor says" {
        val plain = ramJar().source("org.example.Plain", "package org.example; public class Plain {}")
        scan(json(type = "org.example.Plain"), plain).whyRejected() shouldContain "which has no @StorageDriver"
    }
})
