package dev.arraywright.kernel.driver

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.get
import dev.arraywright.kernel.spare.put
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.name

/** Drivers that come with Arraywright, beside those of jars. */
class BuiltInDriversSpec : StringSpec({
    fun folder(): Path = tempdir().toPath()

    suspend fun kernel(options: DriverOptions = DriverOptions(), block: suspend (ArraywrightKernel) -> Unit) =
        ArraywrightKernel.start(KernelOptions(drivers = options, watch = false)).use { block(it) }

    "they are shown with what they serve, run, and are no others'" {
        kernel { kernel ->
            val all = kernel.drivers.builtIn
            all.map { it.name } shouldContainExactly listOf("block", "file", "memory", "nbd")
            for (driver in all) {
                driver.builtIn shouldBe true
                driver.jar.shouldBeNull()
                driver.state shouldBe DriverState.Running
                driver.info.shouldNotBeNull().version shouldBe DriverVersion.PLATFORM
                driver.info.schemes.isNotEmpty() shouldBe true
                kernel.drivers.status(driver.name) shouldBe driver
            }
            kernel.drivers.drivers.value shouldBe emptyMap()
            kernel.drivers.statistics.running shouldBe 0
        }
    }

    "what they are asked for is counted, and the devices that are open are shown" {
        kernel { kernel ->
            fun memory() = kernel.drivers.status("memory")!!
            val members = listOf("memory:16MiB#a", "memory:16MiB#b")
            val array = kernel.createArray(ArraySpec("vault", RaidLevel.RAID1, members, assumeClean = true))
            array.put(ByteArray(4096) { 5 })
            array.get(4096) shouldBe ByteArray(4096) { 5 }
            with(memory()) {
                devices.map { it.substringAfter('#') } shouldContainExactly listOf("a", "b")
                (figures.opens >= 2 && figures.calls > 4 && figures.errors == 0L) shouldBe true
                (figures.p50.isPositive() && figures.p50 <= figures.p99) shouldBe true
            }
            shouldThrow<KernelError> { kernel.createArray(ArraySpec("no", RaidLevel.RAID0, listOf("memory:513#x"))) }
            memory().figures.errors shouldBe 1
            kernel.stopArray("vault")
            memory().devices.shouldBeEmpty()
            kernel.drivers.status("file")!!.figures.calls shouldBe 0
        }
    }

    "they are neither unloaded, nor upgraded, nor loaded, and no place of a loaded one is theirs" {
        kernel(DriverOptions(maxLoaded = 1)) { kernel ->
            val ram = ramDriver(folder())
            kernel.drivers.load(ram)
            val stays = "a driver of that name comes with Arraywright, and stays as long as it runs"
            for (force in listOf(false, true)) {
                shouldThrow<KernelError.InUse> { kernel.drivers.unload("file", force) }.run {
                    what shouldBe "cannot unload the driver file"
                    why shouldBe stays
                }
            }
            kernel.until(Topic.DRIVER_UNLOAD_FAILED).last().occurrence.cause shouldBe stays
            shouldThrow<KernelError.InUse> { kernel.drivers.upgrade("file", ram) }.why shouldBe stays
            val other = ramDriver(folder(), "file", scheme = "other")
            shouldThrow<KernelError.InUse> { kernel.drivers.load(other) }.why shouldBe stays
            (kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence as DriverLoadFailed).driver shouldBe "file"
            kernel.drivers.status("file")!!.state shouldBe DriverState.Running
        }
    }

    "a jar with a driver of such a name is shown as rejected, under its own name" {
        kernel { kernel ->
            val folder = folder()
            val jar = ramDriver(folder, "file", scheme = "other")
            ramDriver(folder)
            kernel.drivers.found(kernel.drivers.scan(folder))
            val all = kernel.drivers.drivers.value
            all.mapValues { it.value.state.name } shouldBe mapOf("ram" to "Discovered", jar.name to "Rejected")
            (all.getValue(jar.name).state as DriverState.Rejected).why shouldContain "called file"
            shouldThrow<KernelError> { kernel.createArray(ArraySpec("no", RaidLevel.RAID0, listOf("other:a"))) }.run {
                remedy.contains(jar.name) shouldBe false
            }
        }
    }
})
