package dev.arraywright.kernel.driver

import dev.arraywright.spi.driver.DriverSetting.Type
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class DriverInfoSpec : StringSpec({
    val version = DriverVersion.parse("1.0.0")
    val sound = DriverInfo("ram", "Memory", version, listOf("ram", "pci:v1AF4*"), version, true, "org.example.Ram")

    fun setting(type: Type, choices: List<String> = emptyList()) =
        DeclaredSetting("s", "A setting", type, choices = choices)

    "schemes and hardware patterns are told apart" {
        sound.schemes shouldBe listOf("ram")
        sound.hardwarePatterns shouldBe listOf("pci:v1AF4*")
    }

    "what makes no sense is refused in words for an operator" {
        val twice = listOf(setting(Type.TEXT), setting(Type.SIZE))
        val wrong = mapOf<String, () -> Any>(
            "'Ram' is no driver's name" to { sound.copy(name = "Ram") },
            "'../ram' is no driver's name" to { sound.copy(name = "../ram") },
            "'${"r".repeat(65)}' is no driver's name" to { sound.copy(name = "r".repeat(65)) },
            "the description is not one line" to { sound.copy(description = "two\nlines") },
            "'RAM' is neither an address scheme" to { sound.copy(supportedDevices = listOf("RAM")) },
            "the supported devices name 'ram' twice" to { sound.copy(supportedDevices = listOf("ram", "ram")) },
            "it requires itself" to { sound.copy(requires = listOf(DriverRequirement("ram"))) },
            "it requires 'a' twice" to { sound.copy(requires = List(2) { DriverRequirement("a") }) },
            "the settings name 's' twice" to { sound.copy(settings = twice) },
            "more than 256" to { sound.copy(supportedDevices = List(257) { "ram:$it" }) },
            "'a b' is no setting's name" to { DeclaredSetting("a b", "A setting") },
            "the description of setting 'a'" to { DeclaredSetting("a", " ") },
            "required and has a default" to { DeclaredSetting("a", "A", defaultValue = "x", required = true) },
            "a choice of setting 'a': 'x' is not a whole number" to
                { DeclaredSetting("a", "A", Type.INTEGER, choices = listOf("1", "x")) },
            "the same choice twice" to { DeclaredSetting("a", "A", choices = listOf("x", "x")) },
            "the default value of setting 'a': 'many' is not a size" to
                { DeclaredSetting("a", "A", Type.SIZE, defaultValue = "many") },
            "'z' is not one of x, y" to { DeclaredSetting("a", "A", choices = listOf("x", "y"), defaultValue = "z") },
        )
        for ((part, make) in wrong) {
            withClue(part) { shouldThrow<IllegalArgumentException> { make() }.message shouldContain part }
        }
    }

    "a setting's value is held against its type and its choices" {
        val table = mapOf(
            Type.TEXT to (listOf("", "anything") to listOf("x".repeat(5000))),
            Type.INTEGER to (listOf("0", "-7", "9000000000") to listOf("", "1.5", "0x10", "ten")),
            Type.BOOLEAN to (listOf("true", "false") to listOf("True", "yes", "")),
            Type.SIZE to (listOf("64MiB", "512") to listOf("64 apples", "-1", "")),
            Type.DURATION to (listOf("30s", "1h 30m") to listOf("30", "soon", "")),
        )
        table.keys shouldBe Type.entries.toSet()
        for ((type, values) in table) {
            withClue(type) {
                values.first.mapNotNull(setting(type)::problemWith) shouldBe emptyList()
                values.second.filter { setting(type).problemWith(it) == null } shouldBe emptyList()
            }
        }
        setting(Type.TEXT, listOf("a", "b")).problemWith("b") shouldBe null
        setting(Type.TEXT, listOf("a", "b")).problemWith("c").shouldNotBeNull() shouldContain "one of a, b"
    }
})
