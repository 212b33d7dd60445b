package dev.arraywright.admin.serve

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText

class ConfigurationFileSpec : StringSpec({
    fun array(name: String) = ArrayConfiguration(name, listOf("file:/$name.img"))

    "a change is in the file, and what was there before beside it" {
        val path = tempdir().toPath().resolve("c.json")
        path.writeText("{ /* mine */ }")
        val file = ConfigurationFile(path, Configuration.load(path))
        file.change { it.copy(arrays = listOf(array("a"))) }
        Configuration.load(path) shouldBe Configuration(listOf(array("a")))
        path.resolveSibling("c.json~").readText() shouldBe "{ /* mine */ }"
    }

    "a change that changes nothing leaves the file alone" {
        val path = tempdir().toPath().resolve("c.json")
        ConfigurationFile(path, Configuration()).change { it }
        path.exists() shouldBe false
    }

    "of changes at once none is lost" {
        val path = tempdir().toPath().resolve("c.json")
        val file = ConfigurationFile(path, Configuration())
        coroutineScope {
            repeat(20) { i ->
                launch(Dispatchers.Default) { file.change { it.copy(arrays = it.arrays + array("a$i")) } }
            }
        }
        Configuration.load(path).arrays.map { it.name }.toSet() shouldBe List(20) { "a$it" }.toSet()
    }

    "a file that cannot be written says what that means, and the change does not count" {
        val path = tempdir().toPath().resolve("none/c.json")
        val file = ConfigurationFile(path, Configuration())
        shouldThrow<KernelError.BadConfiguration> { file.change { it.copy(arrays = listOf(array("a"))) } }.what shouldBe
            "the change was made, but will not outlast this process"
        file.current shouldBe Configuration()
    }
})
