package dev.arraywright.admin.cli.config

import dev.arraywright.admin.Bench
import dev.arraywright.kernel.config.Configuration
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** The configuration file under a serving process, edited and asked for. */
class ConfigSpec : StringSpec({
    fun bench(test: suspend Bench.() -> Unit): suspend () -> Unit = { Bench().use { it.test() } }

    fun Bench.write(more: String): Path =
        directory.resolve("c.json").also { it.writeText("""{ "http": {"port": 0}, "nbd": {"port": 0}$more }""") }

    fun priority(of: Int) = """, "policy": { "rebuildPriority": $of } /* mine */"""

    fun json(text: String): JsonObject = Json.parseToJsonElement(text).jsonObject

    "an edit counts by itself, a bad one leaves what runs alone, and both are told" {
        bench {
            val file = write(priority(60))
            during("serve", "--config", file) {
                write(priority(61))
                eventually(20.seconds) { run("policy", "show").ok().out shouldContain Regex("rebuildPriority *= 61") }
                write(""", "policy": { "rebuildPriority": 101 }""")
                eventually(20.seconds) { run("config", "show").code shouldBe 1 }
                run("config", "show").out.run {
                    shouldContain("rebuildPriority\": 61")
                    shouldContain("the file cannot be used")
                }
                run("config", "reload").run {
                    code shouldBe 1
                    err shouldContain "rebuild priority must be from 0 to 100"
                }
                run("policy", "set", "throttleDelay=1ms").run {
                    code shouldBe 1
                    err shouldContain "will not outlast this process"
                }
                file.readText() shouldContain "101"
                run("events").ok().out.run {
                    shouldContain("configuration.changed")
                    shouldContain("configuration.rejected")
                }
            }
        }()
    }

    "a reload is done before it is answered, and says what does not count yet" {
        bench {
            val file = write("")
            during("serve", "--config", file) {
                run("config", "reload").ok().out shouldContain "counts already"
                write("""${priority(62)}, "watch": false""")
                // The process may have seen it by itself in between.
                val first = json(run("config", "reload", "-o", "json").ok().out)
                run("policy", "show").ok().out shouldContain Regex("rebuildPriority *= 62")
                if (first.getValue("changed").jsonPrimitive.content == "true") {
                    "${first.getValue("notes")}" shouldContain "watch"
                }
                val shown = json(run("config", "show", "-o", "json").ok().out)
                shown.getValue("file").jsonPrimitive.content shouldBe "$file"
                Configuration.parse("${shown.getValue("configuration")}", "shown") shouldBe Configuration.load(file)
                write("""${priority(62)}, "spares": [ "file:$directory/gone" ]""")
                val failing = run("config", "reload")
                if ("counts already" !in failing.out) failing.err shouldContain "gone"
            }
        }()
    }

    "a file is checked without a process, and its schema is printed" {
        bench {
            run("config", "check", write(priority(60))).ok().out shouldContain "is sound"
            run("config", "check", write(""", "aray": 1""")).run {
                code shouldBe 1
                err shouldContain "did you mean 'arrays'?"
            }
            run("config", "check", write(""", "spares": [ "no address" ]""")).run {
                code shouldBe 1
                err shouldContain "no address"
                err shouldContain "c.json"
            }
            run("config", "check", directory.resolve("none")).code shouldBe 1
            val schema = run("config", "schema").ok().out
            json(schema).getValue("properties").jsonObject.keys shouldBe json(Configuration.schema())
                .getValue("properties").jsonObject.keys
            run("config", "show").run {
                code shouldBe 1
                err shouldNotContain "Exception"
            }
        }()
    }
})
