package dev.arraywright.kernel

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.kernel.event.ArrayStopped
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.event.journal.JournalRecord
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.flow.toList
import org.koin.dsl.koinApplication
import org.koin.dsl.module
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.seconds

class KernelEndingSpec : StringSpec({
    "an array that hangs is named when the bound has passed, the others are stopped, and the journal has it all" {
        val driver = FakeDriver()
        val journal = tempdir().toPath()
        val options = KernelOptions(closeWithin = 2.seconds, journal = journal)
        val host = koinApplication {
            modules(kernelModules(options) + module { single<BuiltInDrivers> { BuiltInDrivers.of(driver) } })
        }
        val kernel = host.koin.get<ArraywrightKernel>()
        for (name in listOf("stuck", "sound")) {
            val members = listOf("memory:8MiB#$name-0", "memory:8MiB#$name-1")
            val array = kernel.createArray(ArraySpec(name, RaidLevel.RAID1, members, assumeClean = true))
            array.write(ByteBuffer.allocateDirect(4096), 0)
        }
        val gate = FakeDevice.Gate()
        driver.devices.filterKeys { "stuck" in it }.values.forEach { it.faulty(gate) }

        val error = shouldThrow<KernelError.NotStopped> { kernel.shutdown() }
        error.why shouldContain "array stuck: it did not end within"
        error.why shouldNotContain "sound"
        kernel.arrays.value.shouldBeEmpty()
        shouldThrow<KernelError.Closed> { kernel.assembleArray(listOf("memory:8MiB#other")) }
        kernel.shutdown()

        val stopped = EventJournal.read(journal).toList()
            .mapNotNull { (it as JournalRecord.Event).event.occurrence as? ArrayStopped }
        stopped shouldContain ArrayStopped("sound")
        stopped.single { it.subject == "stuck" }.cause!! shouldContain "did not end"
        stopped.size shouldBe 2
        gate.open()
        host.close()
    }
})

@StorageDriver(name = "fake", description = "Heap", version = "1.0.0", supportedDevices = ["memory"])
private class FakeDriver : Driver {
    val devices = ConcurrentHashMap<String, FakeDevice>()

    override fun initialize(context: DriverContext) {}

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val memory = address as StorageAddress.Memory
        return devices.getOrPut(memory.name()) { FakeDevice("fake-" + memory.name(), memory.size().toInt()) }
    }

    override fun close() {}
}
