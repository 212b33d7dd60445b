package dev.arraywright.kernel.config.schema

import dev.arraywright.kernel.config.Configuration
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.nio.file.Path
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.walk

/** The library reads such numbers; JSON has none. */
private val LEADING_ZERO = Regex(""":\s*0\d""")

@OptIn(ExperimentalPathApi::class)
class SchemaExamplesSpec : StringSpec({
    val root = Path.of("..").toAbsolutePath().normalize()

    fun files(vararg below: String, extension: String) = below.flatMap { folder ->
        root.resolve(folder).walk().filter { it.extension == extension }
    }

    fun strict(text: String) = tolerant.parseToJsonElement(text).toString()

    "the examples that people read are right" {
        val fence = Regex("```(?:json|jsonc)?\\R(.*?)```", RegexOption.DOT_MATCHES_ALL)
        val pages = files("kernel/src/main", "ktor-admin/src/main", extension = "kt") +
            (listOf(root) + root.resolve("samples").listDirectoryEntries()).map {
                it.resolve("README.md")
            }.filter { it.exists() }
        val examples = pages.flatMap { page ->
            fence.findAll(page.readText()).map { it.groupValues[1].replace(Regex("(?m)^ *\\* ?"), "") }
                .filter { it.startsWith("{") && Regex("\"(arrays|nbd|policy|drivers|driverDirectory)\"") in it }
                .map { page to it }
        }
        examples.size shouldBeGreaterThan 0
        examples.forEach { (page, text) ->
            withClue("$page: $text") {
                Validating.refusal(text).shouldBeNull()
                Validating.complaints(strict(text)).shouldBeEmpty()
            }
        }
    }

    "what specs have read, the schema takes" {
        val raw = Regex("\"\"\"(.*?)\"\"\"", RegexOption.DOT_MATCHES_ALL)
        val sources = files("kernel/src/test", "ktor-admin/src/test", extension = "kt")
        // What the specs of the schema have is wrong by intent.
        val texts = sources.filter { "/schema/" !in it.toString() }.flatMap { file ->
            raw.findAll(file.readText()).map { it.groupValues[1].trim() }.filter { it.startsWith("{") }
        }.filter { Validating.refusal(it) == null && !LEADING_ZERO.containsMatchIn(it) }
        texts.size shouldBeGreaterThan 5
        texts.forEach { withClue(it) { Validating.complaints(strict(it)).shouldBeEmpty() } }
    }

    "a schema that is broken would be seen" {
        Validating.complaints("""{ "arays": [] }""") shouldNotBe emptyList<String>()
        Validating.complaints("{}") shouldBe emptyList()
        Configuration.schema().trim().last() shouldBe '}'
    }
})
