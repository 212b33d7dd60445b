package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path

class ConfigurationSpec : StringSpec({
    "comments and trailing commas are read, defaults are filled in" {
        val text = """
            { // kept running by serve
              "arrays": [ { "name": "vault", "members": ["file:/a", "file:/b",], "export": { "name": "v" } }, ],
              /* the rest stays as it is */
            }
        """
        val read = Configuration.parse(text, "test")
        read.arrays shouldBe listOf(ArrayConfiguration("vault", listOf("file:/a", "file:/b"), ExportConfiguration("v")))
        read.nbd shouldBe NbdConfiguration("127.0.0.1", 10809, null, false)
    }

    "what is printed is read back" {
        val one = Configuration(
            listOf(ArrayConfiguration("a", listOf("memory:1MiB#x"), ExportConfiguration("e", "d", true))),
            NbdConfiguration(port = 0, socket = "/run/x.sock"),
            HttpConfiguration(port = 0),
        )
        Configuration.parse(one.print(), "test") shouldBe one
    }

    "an unknown key is refused, and the nearest known one is named" {
        val error = shouldThrow<KernelError.BadConfiguration> { Configuration.parse("""{ "arays": [] }""", "my.json") }
        error.what shouldContain "my.json"
        error.why shouldContain "did you mean 'arrays'?"
    }

    "a file that is not there is one clear message" {
        val error = shouldThrow<KernelError.BadConfiguration> { Configuration.load(Path.of("/no/such/file.json")) }
        error.why shouldContain "no such file"
    }

    for ((text, reason) in listOf(
        "[" to "",
        """{ "arrays": [ { "name": "x" } ] }""" to "members",
        """{ "arrays": [ { "name": " ", "members": ["file:/a"] } ] }""" to "blank",
        """{ "arrays": [ { "name": "x", "members": [] } ] }""" to "no members",
        """{ "arrays": [ { "name": "x", "members": ["file:/a", "file:/a"] } ] }""" to "file:/a stands twice",
        """{ "nbd": { "port": 70000 } }""" to "70000",
    )) {
        "refused: $text" {
            shouldThrow<KernelError.BadConfiguration> { Configuration.parse(text, "test") }.why shouldContain reason
        }
    }
})
