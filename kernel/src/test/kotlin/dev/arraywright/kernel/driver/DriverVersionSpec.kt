package dev.arraywright.kernel.driver

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.div
import kotlin.io.path.exists
import kotlin.io.path.readText

class DriverVersionSpec : StringSpec({
    fun version(text: String) = DriverVersion.parse(text)

    "versions are ordered by precedence and written as they were" {
        val ordered = listOf("0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0")
        ordered.shuffled().map(::version).sorted().map { "$it" } shouldBe ordered
        version("1.0.0+build.7").toString() shouldBe "1.0.0+build.7"
    }

    "what is no semantic version is refused, the library's leniency included" {
        val wrong = listOf("", "1", "1.2", "v1.2.3", " 1.2.3", "1.2.3 ", "01.2.3", "1.2.3-01", "1.2.x", "1.0.0\n")
        for (text in wrong + "99999999999.0.0" + "1.0.0-${"a".repeat(300)}") {
            withClue(text) { shouldThrow<IllegalArgumentException> { version(text) } }
        }
    }

    "a message repeats no control character" {
        shouldThrow<IllegalArgumentException> { version("\u001b[31m1") }.message shouldContain "'?[31m1'"
    }

    "a range has the versions that npm's has" {
        val table = mapOf(
            "^1.2" to "1.2.0 1.9.9 | 1.1.9 2.0.0 1.3.0-beta",
            "~1.2.3" to "1.2.3 1.2.9 | 1.3.0 1.2.2",
            ">=1.0 <3" to "1.0.0 2.9.9 | 3.0.0 0.9.0",
            "1.x" to "1.0.0 1.9.0 | 2.0.0",
            "*" to "0.0.1 9.0.0 | 1.0.0-beta",
            "1.0 - 2.3" to "1.0.0 2.3.9 | 2.4.0",
            "^1.2 || 3.0.1" to "1.5.0 3.0.1 | 3.0.0",
            ">1.0.0-alpha" to "1.0.0-beta 1.0.0 | 1.0.1-beta",
        )
        for ((range, versions) in table) {
            val (inside, outside) = versions.split(" | ").map { it.split(' ').map(::version) }
            withClue(range) {
                inside.filterNot { it in VersionRange.parse(range) } shouldBe emptyList()
                outside.filter { it in VersionRange.parse(range) } shouldBe emptyList()
            }
        }
    }

    "what is no range is refused, where the library would take it for one without versions" {
        val wrong = listOf("", "garbage", "^", ">=a", "^1.2 foo", "[1.0,2.0)", "latest", ">=1,<2", "||", "1 ||")
        for (text in wrong + "^99999999999") {
            withClue(text) { shouldThrow<IllegalArgumentException> { VersionRange.parse(text) } }
        }
    }

    "a requirement is a name and a range" {
        DriverRequirement.parse("fabric ^1.2") shouldBe DriverRequirement("fabric", VersionRange.parse("^1.2"))
        DriverRequirement.parse("fabric") shouldBe DriverRequirement("fabric", VersionRange.ANY)
        for (text in listOf("fabric  >=1 <2", "fabric ^1.2", "fabric")) {
            DriverRequirement.parse(DriverRequirement.parse(text).toString()) shouldBe DriverRequirement.parse(text)
        }
        for (text in listOf("", "Fabric ^1", " fabric", "fabric ^", "^1.2", "fabric@1")) {
            withClue(text) { shouldThrow<IllegalArgumentException> { DriverRequirement.parse(text) } }
        }
    }

    "a platform serves what asks for it or an older one, its own snapshots included" {
        version("0.2.0").serves(version("0.1.9")) shouldBe true
        version("0.2.0-SNAPSHOT").serves(version("0.2.0")) shouldBe true
        version("0.2.0").serves(version("0.2.1")) shouldBe false
    }

    "the platform's version is that of the build" {
        val top = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.last { (it / "pom.xml").exists() }
        val version = Regex("<version>([^<]+)</version>").find((top / "pom.xml").readText())?.groupValues?.get(1)
        DriverVersion.PLATFORM.toString() shouldBe version?.removeSuffix("-SNAPSHOT")
    }
})
