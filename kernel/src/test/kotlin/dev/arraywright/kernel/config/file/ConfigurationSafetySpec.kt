package dev.arraywright.kernel.config.file

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.PolicyConfiguration
import dev.arraywright.kernel.event.ConfigurationRejected
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteExisting
import kotlin.io.path.getPosixFilePermissions
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readText
import kotlin.io.path.setPosixFilePermissions
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** What an operator wrote, and what a kernel was told, outlast each other, failures and the end of the process. */
class ConfigurationSafetySpec : StringSpec({
    fun StringSpec.file(text: String = "{}"): ConfigurationFile =
        ConfigurationFile.open(tempdir().toPath().resolve("c.json").also { it.writeText(text) })

    fun ConfigurationFile.old() = path.resolveSibling("c.json~")

    fun priority(of: Int) = """{ "policy": { "rebuildPriority": $of } }"""

    val more: (Configuration) -> Configuration = { it.copy(maxLoadedDrivers = 9) }

    "who may read the file, and whose it is, stays as it was, for what is kept beside it too" {
        for (permissions in listOf("rw-------", "rw-r-----").map(PosixFilePermissions::fromString)) {
            val file = file()
            file.path.setPosixFilePermissions(permissions)
            val root = Files.getAttribute(file.path, "unix:uid") == 0
            if (root) listOf("uid", "gid").forEach { Files.setAttribute(file.path, "unix:$it", 65534) }
            file.change(more)
            for (path in listOf(file.path, file.old())) {
                path.getPosixFilePermissions() shouldBe permissions
                if (root) Files.getAttribute(path, "unix:gid") shouldBe 65534
            }
        }
    }

    "a file that is new is for its owner only" {
        val path = tempdir().toPath().resolve("c.json")
        val file = ConfigurationFile.create(path, Configuration())
        path.getPosixFilePermissions() shouldBe PosixFilePermissions.fromString("rw-------")
        path.deleteExisting()
        file.change(more)
        path.getPosixFilePermissions() shouldBe PosixFilePermissions.fromString("rw-------")
    }

    "a file that cannot be made is told as one that cannot be used" {
        shouldThrow<KernelError.BadConfiguration> {
            ConfigurationFile.create(tempdir().toPath().resolve("none/c.json"), Configuration())
        }.what shouldContain "c.json"
    }

    "what an operator wrote stays beside it through any number of changes" {
        val file = file("{ /* mine */ }")
        file.change(more)
        file.change { it.copy(maxLoadedDrivers = 10) }
        file.old().readText() shouldBe "{ /* mine */ }"
        file.path.writeText("""{ "maxLoadedDrivers": 11 /* mine, too */ }""")
        file.change { it.copy(watch = false) }
        file.change { it.copy(watch = true) }
        file.old().readText() shouldContain "mine, too"
    }

    "an edit made while a change is under way is part of it" {
        val file = file()
        var edit: String? = priority(7)
        file.change { c ->
            edit?.let(file.path::writeText)
            edit = null
            more(c)
        }
        Configuration.load(file.path) shouldBe
            Configuration(policy = PolicyConfiguration(rebuildPriority = 7), maxLoadedDrivers = 9)
    }

    "a file that is written all the time is left to whoever does it" {
        val file = file()
        var edits = 0
        shouldThrow<KernelError.BadConfiguration> {
            file.change { c ->
                file.path.writeText(priority(++edits))
                more(c)
            }
        }.why shouldContain "edited"
        file.path.readText() shouldBe priority(edits)
    }

    "what cannot be put in its place is not left lying about" {
        val file = file()
        file.old().resolve("in the way").createDirectories()
        shouldThrow<KernelError.BadConfiguration> { file.change(more) }
        file.path.readText() shouldBe "{}"
        file.path.parent.listDirectoryEntries().map { it.name }.toSet() shouldBe setOf("c.json", "c.json~")
    }

    "an address that is none is not written over either" {
        val file = file()
        val edit = """{ "spares": [ "no address" ] /* mine */ }"""
        file.path.writeText(edit)
        shouldThrow<KernelError.BadConfiguration> { file.change(more) }.why shouldContain "no address"
        file.path.readText() shouldBe edit
        file.current.value shouldBe Configuration()
    }

    "no text of an address ends whoever follows the file" {
        ArraywrightKernel.start().use { kernel ->
            val file = file()
            for (address in listOf(
                "/a\\u0000",
                "file:/a\\u0000",
                "",
                " ",
                "/",
                "file:",
                "\\ud800",
                "block:/dev/../\\u0000",
            )) {
                file.path.writeText(
                    """{ "spares": [ "/x" ], "arrays": [ { "name": "a", "members": [ "$address" ] } ] }""",
                )
                when (val outcome = file.reload(kernel)) {
                    is Reloaded.Rejected -> Unit
                    is Reloaded.Changed -> outcome.outcome.failures.isEmpty() shouldBe false
                    null -> error("an edit was not seen")
                }
            }
        }
    }

    "a reload that waits for a device holds up no change, and can be cancelled" {
        ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { silent ->
            ArraywrightKernel.start().use { kernel ->
                val file = file()
                val nbd = "nbd://127.0.0.1:${silent.localPort}/x"
                file.path.writeText("""{ "watch": false, "arrays": [ { "name": "a", "members": [ "$nbd" ] } ] }""")
                coroutineScope {
                    val reloading = launch(Dispatchers.Default) { file.reload(kernel) }
                    val asked = withContext(Dispatchers.IO) { silent.accept() }
                    try {
                        withTimeout(10.seconds) { file.change(more) }
                        Configuration.load(file.path).run { arrays.size to maxLoadedDrivers } shouldBe (1 to 9)
                        withTimeout(10.seconds) { reloading.cancelAndJoin() }
                    } finally {
                        asked.close()
                    }
                }
                // All of it is done anew.
                file.reload(kernel).shouldBeInstanceOf<Reloaded.Changed>().outcome.notes.single() shouldContain "watch"
                file.reload(kernel) shouldBe null
            }
        }
    }

    "an edit and a change that cannot both be are told, and the edit stays" {
        val file = file()
        val edit = """{ "arrays": [ { "name": "x", "members": [ "file:/a" ] } ] }"""
        file.path.writeText(edit)
        val y = ArrayConfiguration("y", listOf("file:/a"))
        shouldThrow<KernelError.BadConfiguration> { file.change { it.copy(arrays = it.arrays + y) } }
            .why shouldContain "the member file:/a stands twice"
        file.path.readText() shouldBe edit
    }

    "a change that is cancelled when the kernel has done it already is written" {
        val file = file()
        coroutineScope {
            lateinit var changing: Job
            changing = launch(start = CoroutineStart.LAZY) {
                file.change { c ->
                    changing.cancel()
                    more(c)
                }
            }
            changing.join()
        }
        Configuration.load(file.path).maxLoadedDrivers shouldBe 9
        file.current.value.maxLoadedDrivers shouldBe 9
    }

    "an edit that cannot be used is told as an event, whoever saw it first" {
        ArraywrightKernel.start().use { kernel ->
            val file = file()
            file.path.writeText("{")
            shouldThrow<KernelError.BadConfiguration> { file.change(more) }
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Rejected>()
            file.path.writeText(priority(7))
            file.reload(kernel).shouldBeInstanceOf<Reloaded.Changed>()
            kernel.until(Topic.CONFIGURATION_CHANGED).map { it.occurrence }.filterIsInstance<ConfigurationRejected>()
                .size shouldBe 1
        }
    }
})
