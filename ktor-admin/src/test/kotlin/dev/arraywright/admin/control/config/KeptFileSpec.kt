package dev.arraywright.admin.control.config

import dev.arraywright.admin.control.protect.KernelProtection
import dev.arraywright.admin.serve.Listing
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.PolicyConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.milliseconds

/** Commands and edits that meet in one file. */
class KeptFileSpec : StringSpec({
    fun StringSpec.file(configuration: Configuration = Configuration()): ConfigurationFile =
        ConfigurationFile.create(tempdir().toPath().resolve("c.json"), configuration)

    "a setting that is changed by command leaves one alone that is edited at the same time" {
        ArraywrightKernel.start().use { kernel ->
            val file = file()
            file.path.writeText("""{ "policy": { "rebuildPriority": 7 } }""")
            KernelProtection(kernel, file).setPolicy(mapOf("throttleDelay" to "3ms"))
            Configuration.load(file.path).policy shouldBe
                PolicyConfiguration(rebuildPriority = 7, throttleDelay = 3.milliseconds)
        }
    }

    "a setting that does not go with one that is edited at the same time is not written, and that is told" {
        ArraywrightKernel.start().use { kernel ->
            val file = file()
            file.path.writeText("""{ "policy": { "rebuildFloor": "8MiB" } }""")
            val protection = KernelProtection(kernel, file)
            shouldThrow<KernelError.BadConfiguration> { protection.setPolicy(mapOf("rebuildCeiling" to "4MiB")) }
                .why shouldContain "is below the floor"
            Configuration.load(file.path).policy.rebuildCeiling shouldBe null
        }
    }

    "a spare that is removed is not in the file any more, however it is written there" {
        val image = tempdir().toPath().resolve("s.img").also { it.writeBytes(ByteArray(16 shl 20)) }
        ArraywrightKernel.start().use { kernel ->
            kernel.protection.addSpare("file:$image")
            val file = file(Configuration(spares = listOf(SpareConfiguration("file:$image"))))
            KernelProtection(kernel, file).removeSpare("$image")
            Configuration.load(file.path) shouldBe Configuration()
        }
    }

    "members that could not be listed are listed once the file is correct again" {
        val members = List(2) { "file:${tempdir()}/m$it" }
        val configured = Configuration(listOf(ArrayConfiguration("a", members.take(1))))
        ArraywrightKernel.start().use { kernel ->
            kernel.createArray(ArraySpec("a", RaidLevel.RAID1, members, createFilesOf = 16L shl 20))
            val file = file(configured)
            file.path.writeText("{")
            runTest {
                val keeping = launch {
                    Listing().keep(kernel, file) {
                        it.what shouldContain "will not outlast"
                        file.path.writeText(configured.print())
                    }
                }
                file.current.first { it.arrays.single().members.size == 2 }
                keeping.cancel()
            }
            Configuration.load(file.path).arrays.single().members shouldBe members
        }
    }
})
