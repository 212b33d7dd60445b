package dev.arraywright.kernel.config.file

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.PolicyConfiguration
import dev.arraywright.kernel.config.Reconfiguration
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.event.ConfigurationRejected
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.file.WatchServiceEvents
import dev.arraywright.kernel.spare.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.isSymbolicLink
import kotlin.io.path.readText
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ConfigurationFileSpec : StringSpec({
    fun array(name: String) = ArrayConfiguration(name, listOf("file:/$name.img"))

    fun StringSpec.file(text: String = "{}"): ConfigurationFile =
        ConfigurationFile.open(tempdir().toPath().resolve("c.json").also { it.writeText(text) })

    fun priority(of: Int) = """{ "policy": { "rebuildPriority": $of } }"""

    suspend fun kernel(block: suspend (ArraywrightKernel) -> Unit) = ArraywrightKernel.start().use { block(it) }

    "a change is in the file, and what was there before beside it" {
        val file = file("{ /* mine */ }")
        file.change { it.copy(arrays = listOf(array("a"))) }
        Configuration.load(file.path) shouldBe Configuration(listOf(array("a")))
        file.current.value shouldBe Configuration(listOf(array("a")))
        file.path.resolveSibling("c.json~").readText() shouldBe "{ /* mine */ }"
    }

    "a change that changes nothing leaves the file alone" {
        val file = file("{ /* mine */ }")
        file.change { it }
        file.path.readText() shouldBe "{ /* mine */ }"
    }

    "of changes at once none is lost" {
        val file = file()
        coroutineScope {
            repeat(20) { i ->
                launch(Dispatchers.Default) { file.change { it.copy(arrays = it.arrays + array("a$i")) } }
            }
        }
        Configuration.load(file.path).arrays.map { it.name }.toSet() shouldBe List(20) { "a$it" }.toSet()
    }

    "a file that cannot be written says what that means, and the change does not count" {
        val file = file()
        file.path.deleteExisting()
        file.path.parent.toFile().deleteRecursively()
        shouldThrow<KernelError.BadConfiguration> { file.change { it.copy(arrays = listOf(array("a"))) } }.what shouldBe
            "the change was made, but will not outlast this process"
        file.current.value shouldBe Configuration()
    }

    "what an operator wrote meanwhile stays beside the change, and is taken in by the next reload" {
        kernel { kernel ->
            val file = file()
            file.path.writeText(priority(7))
            file.change { it.copy(maxLoadedDrivers = 9) }
            val both = Configuration(policy = PolicyConfiguration(rebuildPriority = 7), maxLoadedDrivers = 9)
            Configuration.load(file.path) shouldBe both
            kernel.protection.policy.value.rebuildPriority shouldBe 50
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Changed>()
            kernel.protection.policy.value.rebuildPriority shouldBe 7
            file.reload(kernel) shouldBe null
        }
    }

    "an edit that cannot be used is neither taken in nor written over, and tells why once" {
        kernel { kernel ->
            val file = file(priority(8))
            file.path.writeText("""{ "policy": { "rebuildPriorty": 7 } }""")
            val rejected = file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>()
            rejected.error.why shouldContain "did you mean 'rebuildPriority'?"
            file.reload(kernel) shouldBe rejected
            file.rejected.value shouldBe rejected.error
            file.current.value.policy.rebuildPriority shouldBe 8
            shouldThrow<KernelError.BadConfiguration> { file.change { it.copy(maxLoadedDrivers = 9) } }
                .why shouldContain "was edited, and cannot be used"
            file.path.readText() shouldContain "rebuildPriorty"

            file.path.writeText(priority(7))
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Changed>()
            file.rejected.value shouldBe null
            kernel.protection.policy.value.rebuildPriority shouldBe 7
            val told = kernel.until(Topic.CONFIGURATION_CHANGED).map { it.occurrence }
            told.filterIsInstance<ConfigurationRejected>().single().cause shouldBe rejected.error.why
        }
    }

    "what was wrong and is as before again counts as it did" {
        kernel { kernel ->
            val file = file(priority(8))
            file.path.writeText("{")
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>()
            file.path.writeText(priority(8))
            file.reload(kernel) shouldBe null
            file.rejected.value shouldBe null
            file.change { it.copy(maxLoadedDrivers = 9) }
        }
    }

    "an address that is none keeps the whole file from counting" {
        kernel { kernel ->
            val file = file()
            file.path.writeText("""{ "policy": { "rebuildPriority": 7 }, "spares": [ "no address" ] }""")
            val rejected = file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>()
            rejected.error.why shouldContain "no address"
            kernel.protection.policy.value.rebuildPriority shouldBe 50
            file.current.value shouldBe Configuration()
            file.rejected.value shouldBe rejected.error
        }
    }

    "a driver's settings count as they are edited, and one that it does not declare keeps the file from counting" {
        fun speed(text: String) = """{ "drivers": { "tuned": { "settings": { $text } } } }"""
        val body = """
            @Override public boolean reconfigure(Map<String, String> settings) {
              System.setProperty("spec.file.tuned", settings.toString());
              return true;
            }
        """
        val declares = """supportedDevices = "tuned", settings = @DriverSetting(name = "speed",
            description = "how fast", type = DriverSetting.Type.INTEGER)"""
        val source = driverSource("org.example.Tuned", "tuned", "1.0.0", declares, body = body)
        val jar = DriverJar().source("org.example.Tuned", source).writeTo(tempdir().toPath().resolve("tuned.jar"))
        kernel { kernel ->
            val file = file(speed(""""speed": 7"""))
            kernel.apply(file.current.value).shouldBeEmpty()
            kernel.drivers.load(jar)
            file.path.writeText(speed(""""speed": 9"""))
            file.reload(kernel) shouldBe Reloaded.Changed(Reconfiguration())
            System.clearProperty("spec.file.tuned") shouldBe "{speed=9}"
            file.path.writeText(speed(""""sped": 9"""))
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>().error.why shouldContain "did you mean 'speed'?"
            kernel.drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "9")
        }
    }

    "bytes that are no text are refused, and a file that is gone is written anew by the next change" {
        kernel { kernel ->
            val file = file()
            file.path.writeBytes(byteArrayOf(0x7b, 0xff.toByte(), 0x7d))
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>().error.why shouldContain "no text in UTF-8"
            file.path.writeText("{ }")
            file.reload(kernel) shouldBe null
            file.path.deleteExisting()
            file.reload(kernel) shouldBe null
            file.change { it.copy(maxLoadedDrivers = 9) }
            file.path.exists() shouldBe true
        }
    }

    "a link stays one" {
        val target = tempdir().toPath().resolve("real.json").also { it.writeText("{}") }
        val link = tempdir().toPath().resolve("c.json")
        Files.createSymbolicLink(link, target)
        ConfigurationFile.open(link).change { it.copy(maxLoadedDrivers = 9) }
        link.isSymbolicLink() shouldBe true
        Configuration.load(target).maxLoadedDrivers shouldBe 9
    }

    suspend fun following(
        path: Path,
        block: suspend (ArraywrightKernel, Channel<Reloaded>) -> Unit,
    ) = kernel { kernel ->
        coroutineScope {
            val told = Channel<Reloaded>(Channel.UNLIMITED)
            val file = ConfigurationFile.open(path)
            val pace = FollowPace(rest = 20.milliseconds, patience = 1.seconds, safetyNet = 60.seconds)
            val following = launch(Dispatchers.Default) {
                file.follow(kernel, pace, WatchServiceEvents(path.parent)) {
                    told.trySend(it)
                }
            }
            try {
                withTimeout(60.seconds) { block(kernel, told) }
            } finally {
                following.cancel()
            }
        }
    }

    "a file is followed through the ways that editors save it" {
        val path = tempdir().toPath().resolve("c.json").also { it.writeText("{}") }
        following(path) { kernel, told ->
            path.writeText(priority(7))
            told.receive().shouldBeInstanceOf<Reloaded.Changed>()
            kernel.protection.policy.value.rebuildPriority shouldBe 7

            val next = path.resolveSibling("c.json.swp").also { it.writeText(priority(8)) }
            Files.move(next, path, ATOMIC_MOVE)
            told.receive().shouldBeInstanceOf<Reloaded.Changed>()
            kernel.protection.policy.value.rebuildPriority shouldBe 8

            path.writeText("{ half")
            told.receive().shouldBeInstanceOf<Reloaded.Rejected>()
            kernel.protection.policy.value.rebuildPriority shouldBe 8

            path.deleteExisting()
            path.writeText(priority(9))
            told.receive().shouldBeInstanceOf<Reloaded.Changed>()
            kernel.protection.policy.value.rebuildPriority shouldBe 9
        }
    }

    "a link that comes to lead elsewhere is followed, as in a mounted map of Kubernetes" {
        val dir = tempdir().toPath()
        val versions = listOf(7, 8).map { of ->
            dir.resolve("v$of").createDirectory().also { it.resolve("c.json").writeText(priority(of)) }
        }
        Files.createSymbolicLink(dir.resolve("data"), versions[0])
        val path = dir.resolve("c.json")
        Files.createSymbolicLink(path, Path.of("data/c.json"))
        following(path) { kernel, told ->
            val next = Files.createSymbolicLink(dir.resolve("data.new"), versions[1])
            Files.move(next, dir.resolve("data"), ATOMIC_MOVE)
            told.receive().shouldBeInstanceOf<Reloaded.Changed>().outcome.failures shouldBe emptyList()
            kernel.protection.policy.value.rebuildPriority shouldBe 8
        }
    }
})
