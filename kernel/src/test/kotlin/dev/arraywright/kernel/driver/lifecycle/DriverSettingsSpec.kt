package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DeclaredSetting
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.spi.driver.DriverSetting.Type
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class DriverSettingsSpec : StringSpec({
    fun driver(vararg settings: DeclaredSetting) = DriverInfo(
        "overlay",
        "for specs",
        DriverVersion.parse("1.0.0"),
        listOf("overlay"),
        DriverVersion.PLATFORM,
        autoLoad = true,
        "org.example.Overlay",
        settings = settings.toList(),
    )

    val overlay = driver(
        DeclaredSetting("grain", "bytes copied at once", Type.SIZE, "64KiB"),
        DeclaredSetting("directory", "where the copies are", required = true),
        DeclaredSetting("label", "for the logs"),
    )

    fun refusal(driver: DriverInfo, vararg configured: Pair<String, String>): String =
        shouldThrow<KernelError.BadConfiguration> { DriverSettings.of(driver, mapOf(*configured)) }.why

    "what is configured comes before the default value, and what has neither is absent" {
        DriverSettings.of(overlay, mapOf("directory" to "/d")) shouldBe mapOf("grain" to "64KiB", "directory" to "/d")
        DriverSettings.of(overlay, mapOf("directory" to "/d", "grain" to "1MiB", "label" to "x")) shouldBe
            mapOf("grain" to "1MiB", "directory" to "/d", "label" to "x")
    }

    "an unknown setting is refused with the nearest known one" {
        refusal(overlay, "directory" to "/d", "gain" to "1") shouldBe "it has no setting 'gain'; did you mean 'grain'?"
        refusal(driver(), "gain" to "1") shouldBe "it has no settings, and 'gain' is given"
    }

    "a value of another type, and a required one that is absent, are refused" {
        refusal(overlay, "directory" to "/d", "grain" to "much") shouldBe
            "setting 'grain': 'much' is not a size such as 64MiB"
        refusal(overlay) shouldBe "required and absent: directory (where the copies are)"
    }
})
