package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.minutes

class HandOverPartsSpec : StringSpec({
    val patient = HandOverLimits(2.minutes, 2.minutes, 2.minutes)

    fun StorageAddress.name() = toString().substringAfter(':')

    fun DeviceTable.open(device: BlockDevice) =
        openings.pass { add(StorageAddress.parse("ram:${device.info().id()}"), OpenOptions.DEFAULT, device) }

    "devices of several drivers are switched all or none, silent from the top and opened from the bottom" {
        val names = listOf("base", "middle", "top")
        for (failing in listOf(null) + names) {
            val log = ConcurrentLinkedQueue<String>()
            val old = names.map { FakeDevice(it, 4096) }
            val tables = old.map { device -> DeviceTable().also { it.open(device) } }
            for (device in old) {
                device.faulty {
                    what,
                    _,
                    _,
                    ->
                    if (what == FakeDevice.Operation.FLUSH) log += "flush ${device.info().id()}"
                }
            }
            val new = ArrayList<FakeDevice>()
            val parts = tables.map { table ->
                HandOverPart(table, NewOpening.PAUSED) { at, _ ->
                    log += "open ${at.name()}"
                    if (at.name() == failing) error("it does not open")
                    FakeDevice(at.name(), 4096).also { synchronized(new) { new += it } }
                }
            }
            val hand = HandOver(parts, patient)
            var switches = 0
            if (failing == null) {
                hand.run { switches++ }.map { it.devices } shouldBe listOf(1, 1, 1)
                val flushes = listOf("flush top", "flush middle", "flush base")
                log.toList() shouldBe flushes + flushes + listOf("open base", "open middle", "open top")
                tables.map { it.open.single().device.present } shouldBe new
                old.all { it.isClosed } shouldBe true
            } else {
                shouldThrow<KernelError.DriverUnusable> { hand.run { switches++ } }.why shouldContain "ram:$failing"
                tables.map { it.open.single().device.present } shouldBe old
                new.all { it.isClosed } shouldBe true
                new.map { it.info().id() } shouldBe names.takeWhile { it != failing }
                tables.forEach { it.open.single().device.write(ByteBuffer.allocate(512), 0) }
                tables.forEach { it.open(FakeDevice("another", 4096)) }
            }
            switches shouldBe if (failing == null) 1 else 0
        }
    }
})
