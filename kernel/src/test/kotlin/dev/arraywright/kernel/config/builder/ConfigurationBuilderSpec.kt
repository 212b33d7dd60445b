package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ConfigurationBuilderSpec : StringSpec({
    "the DSL says what the file says" {
        val read = Configuration.parse(
            """
            { "arrays": [ { "name": "vault", "members": ["file:/a", "file:/b"], "level": "raid1", "chunk": "64KiB",
                "spares": ["file:/c"], "domains": { "file:/a": "rack-1" }, "bitmap": "64MiB",
                "export": { "name": "v", "readOnly": true } } ],
              "nbd": { "port": 0 }, "policy": { "rebuildPriority": 7, "latency": { "floor": "50ms" },
                "rebuildCeiling": "200MiB", "scrubInterval": "30d" },
              "spares": [ { "address": "file:/s", "domain": "rack-1" } ], "memberDeadline": "10s",
              "memory": { "reserve": "512MiB" }, "drivers": { "overlay": { "settings": { "block-size": "64KiB",
                "depth": 7, "sync": true } } }, "driverDirectory": "/d", "sharedPackages": [ "org.slf4j.**" ] }
            """,
            "test",
        )
        configuration {
            array("vault") {
                members("file:/a", "file:/b")
                level(RaidLevel.RAID1)
                chunk("64KiB")
                spares("file:/c")
                domain("file:/a", "rack-1")
                bitmap = "64MiB"
                export("v") { readOnly = true }
            }
            nbd { port = 0 }
            policy {
                rebuildPriority = 7
                latency { floor = 50.milliseconds }
                rebuildCeiling("200MiB")
                scrubInterval = 30.days
            }
            spare("file:/s", domain = "rack-1")
            memberDeadline = 10.seconds
            memory { reserve = 512L shl 20 }
            driver("overlay") {
                setting("block-size", "64KiB")
                setting("depth", 7)
                setting("sync", true)
            }
            driverDirectory = "/d"
            sharedPackages("org.slf4j.**")
        } shouldBe read
    }

    "a change leaves the rest, and the configuration it begins with, as they are" {
        val before = configuration {
            array("vault") {
                members("file:/a", "file:/b")
                export("v") { description = "kept" }
            }
            array("old") { members("file:/c") }
            spare("file:/s")
            driver("overlay") { setting("depth", 7) }
            policy { latency { ratio = 9.0 } }
        }
        val printed = before.print()
        val after = before.change {
            array("vault") {
                spares += "file:/t"
                export("w") { readOnly = true }
            }
            removeArray("old")
            spare("file:/s", "rack-2")
            driver("overlay") { settings -= "depth" }
            policy { latency { deviations = 3.0 } }
            schema = "./arraywright.schema.json"
        }
        before.print() shouldBe printed
        after shouldBe configuration {
            array("vault") {
                members("file:/a", "file:/b")
                spares("file:/t")
                export("w") {
                    description = "kept"
                    readOnly = true
                }
            }
            spare("file:/s", "rack-2")
            driver("overlay") { }
            policy {
                latency {
                    ratio = 9.0
                    deviations = 3.0
                }
            }
            schema = "./arraywright.schema.json"
        }
        after.change { array("vault") { removeExport() } }.arrays.single().export shouldBe null
        after.change { removeSpare("file:/s").removeDriver("overlay") }.run {
            spares shouldBe emptyList()
            drivers shouldBe emptyMap()
        }
    }

    "what is built stays as it is when its builder goes on" {
        val members = mutableListOf("file:/a")
        val builder = Configuration.builder().array("vault") { array: ArrayBuilder -> array.members = members }
        val built = builder.build()
        members += "file:/b"
        builder.nbd { nbd: NbdBuilder -> nbd.port = 1 }
        built shouldBe configuration { array("vault") { members("file:/a") } }
    }

    val bad = listOf<Pair<String, ConfigurationBuilder.() -> Unit>>(
        """{ "nbd": { "port": 70000 } }""" to { nbd { port = 70000 } },
        """{ "arrays": [ { "name": " ", "members": ["file:/a"] } ] }""" to { array(" ") { members("file:/a") } },
        """{ "arrays": [ { "name": "x", "members": [] } ] }""" to { array("x") { } },
        """{ "arrays": [ { "name": "x", "members": ["file:/a", "file:/a"] } ] }""" to
            { array("x") { members("file:/a", "file:/a") } },
        """{ "arrays": [ { "name": "x", "members": ["file:/a"] }, { "name": "x", "members": ["file:/b"] } ] }""" to
            {
                array("x") { members("file:/a") }
                array("y") {
                    name = "x"
                    members("file:/b")
                }
            },
        """{ "arrays": [ { "name": "x", "members": ["file:/a"], "level": "raid7" } ] }""" to
            {
                array("x") {
                    members("file:/a")
                    level = "raid7"
                }
            },
        """{ "arrays": [ { "name": "x", "members": ["file:/a"], "chunk": "much" } ] }""" to
            {
                array("x") {
                    members("file:/a")
                    chunk("much")
                }
            },
        """{ "policy": { "rebuildFloor": "fast" } }""" to { policy { rebuildFloor("fast") } },
        """{ "policy": { "rebuildCeiling": "1KiB" } }""" to { policy { rebuildCeiling("1KiB") } },
        """{ "policy": { "latency": { "ratio": 1 } } }""" to { policy { latency { ratio = 1.0 } } },
        """{ "health": { "temperatureWarning": 90 } }""" to { health { temperatureWarning = 90 } },
        """{ "memory": { "readCache": "a lot" } }""" to { memory { readCache("a lot") } },
        """{ "memory": { "reserve": 0 } }""" to { memory { reserve = 0 } },
        """{ "spares": [ "" ] }""" to { spare("") },
        """{ "drivers": { "Overlay": {} } }""" to { driver("Overlay") { } },
        """{ "memberDeadline": "0s" }""" to { memberDeadline = 0.seconds },
        """{ "sharedPackages": [ "org.slf4j.*" ] }""" to { sharedPackages("org.slf4j.*") },
        """{ "maxLoadedDrivers": 0 }""" to { maxLoadedDrivers = 0 },
    )
    for ((text, change) in bad) {
        "refused as the file is: $text" {
            val read = shouldThrow<KernelError.BadConfiguration> { Configuration.parse(text, "test") }
            val builder = Configuration.builder().apply(change)
            val built = shouldThrow<KernelError.BadConfiguration> { builder.build() }
            built.what shouldBe "cannot use the configuration made in code"
            built.why shouldBe read.why
            built.remedy shouldBe "correct the value; nothing was started or changed"
        }
    }

    "what is wrong on the way may be right in the end" {
        configuration {
            health { temperatureCritical = 60 }
            health { temperatureWarning = 50 }
        }.health.temperatureCritical shouldBe 60
    }
})
