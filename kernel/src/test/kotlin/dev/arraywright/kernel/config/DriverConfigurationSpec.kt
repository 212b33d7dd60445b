package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.builder.configuration
import dev.arraywright.kernel.driver.DriverOptions
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path

class DriverConfigurationSpec : StringSpec({
    fun parse(text: String) = Configuration.parse(text, "spec")

    fun refusal(text: String) = shouldThrow<KernelError.BadConfiguration> { parse(text) }.why

    "settings of drivers are texts, and numbers and words are taken as they are written" {
        val read = parse(
            """{ "drivers": { "overlay": { "settings": { "grain": "64KiB", "depth": 007.50, "sync": true } } } }""",
        )
        read.drivers.getValue(
            "overlay",
        ).settings shouldBe mapOf("grain" to "64KiB", "depth" to "007.50", "sync" to "true")
        parse(read.print()) shouldBe read
        refusal("""{ "drivers": { "overlay": { "settings": { "grain": [1] } } } }""") shouldContain "a text, a number"
        refusal("""{ "drivers": { "overlay": { "settings": { "grain": null } } } }""") shouldContain "a text, a number"
    }

    "a driver has the jar that it is loaded from, and where that has several its class" {
        val read =
            parse("""{ "drivers": { "overlay": { "jar": "/opt/overlay.jar", "type": "org.example.Overlay" } } }""")
        read.drivers shouldBe
            mapOf("overlay" to DriverConfiguration(jar = "/opt/overlay.jar", type = "org.example.Overlay"))
        parse(read.print()) shouldBe read
        configuration {
            driver("overlay") {
                jar = "/opt/overlay.jar"
                type = "org.example.Overlay"
            }
        } shouldBe read
        refusal("""{ "drivers": { "overlay": { "jar": "overlay.jar" } } }""") shouldContain "is no whole path"
        refusal("""{ "drivers": { "overlay": { "jar": "/o.jar", "type": " " } } }""") shouldContain "the type is blank"
        refusal("""{ "drivers": { "overlay": { "type": "o.O" } } }""") shouldContain "stands there without a jar"
        refusal("""{ "drivers": { "overlay": { "jr": "/o.jar" } } }""") shouldContain "did you mean 'jar'?"
    }

    "what a kernel starts with comes from the configuration, else from its options" {
        val given = KernelOptions(drivers = DriverOptions(Path.of("/d"), listOf("org.slf4j.**"), 7))
        parse("{}").applyTo(given) shouldBe given
        val text = """{ "driverDirectory": "/e", "sharedPackages": [ "kotlin.**" ], "maxLoadedDrivers": 8 }"""
        parse(text).applyTo(given).drivers shouldBe DriverOptions(Path.of("/e"), listOf("kotlin.**"), 8)
    }

    "what makes no sense is refused" {
        refusal("""{ "driverDirektory": "/e" }""") shouldContain "did you mean 'driverDirectory'?"
        refusal("""{ "drivers": { "overlay": { "setting": {} } } }""") shouldContain "did you mean 'settings'?"
        refusal("""{ "drivers": { "Overlay": {} } }""") shouldContain "'Overlay' is no driver's name"
        refusal("""{ "maxLoadedDrivers": 0 }""") shouldContain "maxLoadedDrivers"
        refusal(
            """{ "sharedPackages": [ "org.slf4j.*" ] }""",
        ) shouldContain "sharedPackages: 'org.slf4j.*' is no package"
        refusal("""{ "driverDirectory": " " }""") shouldContain "driverDirectory"
    }
})
