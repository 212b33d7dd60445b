package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

private fun StorageAddress.name() = toString().substringAfter(':')

private class Speechless(private val device: BlockDevice) : BlockDevice by device {
    override fun info() = error("nothing to say")
}

/** A hand-over of one driver's devices. */
private class One(
    private val table: DeviceTable,
    private val opening: NewOpening = NewOpening.PAUSED,
    private val limits: HandOverLimits,
) {
    suspend fun run(open: OpenWithNew, onSwitch: () -> Unit = {}): UpgradeReport =
        HandOver(listOf(HandOverPart(table, opening, open)), limits).run(onSwitch).single()
}

class HandOverSpec : StringSpec({
    val patient = HandOverLimits(2.minutes, 2.minutes, 2.minutes)
    val strict = HandOverLimits(2.minutes, 200.milliseconds, 2.minutes)

    fun address(name: String) = StorageAddress.parse("ram:$name")

    fun DeviceTable.open(device: BlockDevice) =
        openings.pass { add(address(device.info().id()), OpenOptions.DEFAULT, device) }

    fun fakes(count: Int) = List(count) { FakeDevice("d$it", 4096) }

    "all devices go on with the new version, which is told that it takes over, and the old ones are closed" {
        val table = DeviceTable()
        val old = fakes(3)
        val opened = old.map { table.open(it) }
        val asked = ArrayList<OpenOptions>()
        val new = old.associate { address(it.info().id()) to FakeDevice(it.info().id(), 4096) }
        val report = One(table, limits = patient).run(
            { at, options -> new.getValue(at).also { synchronized(asked) { asked += options } } },
        )
        report.devices shouldBe 3
        report.notes.shouldBeEmpty()
        asked shouldBe List(3) { OpenOptions.DEFAULT.takingOver() }
        opened.forEach { it.device.present shouldBe new[it.address] }
        old.map { it.isClosed } shouldBe listOf(true, true, true)
        new.values.none { it.isClosed } shouldBe true
        table.open shouldBe opened
    }

    for (opening in NewOpening.entries) {
        "all or none: a failure at the third leaves the old serving and closes the new, opening $opening" {
            val table = DeviceTable()
            val old = fakes(4)
            old.forEach { table.open(it) }
            val new = ArrayList<FakeDevice>()

            fun fresh(id: String, size: Int = 4096, block: Int = 512, readOnly: Boolean = false) =
                FakeDevice(id, size, block, readOnly).also { synchronized(new) { new += it } }
            val misfits = mapOf<String, suspend () -> BlockDevice>(
                "no such image" to {
                    throw DriverException(DriverException.Reason.NOT_FOUND, "no such image", "look for it")
                },
                "is crowded" to { throw KernelError.InUse("it", "is crowded") },
                "oops" to { error("oops") },
                "its id is x" to { fresh("x") },
                "8192 bytes instead of 4096" to { fresh("d2", 8192) },
                "blocks have 1024 bytes" to { fresh("d2", block = 1024) },
                "only be read" to { fresh("d2", readOnly = true) },
            )
            for ((why, misfit) in misfits) {
                val failure = shouldThrow<KernelError.DriverUnusable> {
                    One(table, opening, patient).run(
                        { at, _ -> if (at == address("d2")) misfit() else fresh(at.name()) },
                    )
                }
                failure.why shouldContain why
                failure.why shouldContain "ram:d2"
            }
            shouldThrow<IllegalStateException> {
                One(table, opening, patient).run({ at, _ -> fresh(at.name()) }) { error("not now") }
            }
            old.none { it.isClosed } shouldBe true
            table.open.map { it.device.present } shouldBe old
            new.all { it.isClosed } shouldBe true
            old.forEach { it.busy() shouldBe 0 }
            table.open.forEach { it.device.write(ByteBuffer.allocate(512), 0) }
        }
    }

    "a call that hangs in the old device fails the hand-over, not the call nor those that waited" {
        val table = DeviceTable()
        val (hanging, sound) = fakes(2)
        val (first, second) = listOf(table.open(hanging), table.open(sound))
        val gate = FakeDevice.Gate()
        hanging.faulty { what, at, length -> if (what == FakeDevice.Operation.READ) gate.strike(what, at, length) }
        val stuck = thread { first.device.read(ByteBuffer.allocate(512), 0) }
        gate.awaitArrivals(1)
        val failure = shouldThrow<KernelError.DriverUnusable> {
            One(table, limits = strict).run(
                { at, _ ->
                    // While it is paused, whoever comes waits and then goes on.
                    val late = thread { second.device.write(ByteBuffer.allocate(512), 0) }
                    while (late.isAlive && late.state != Thread.State.WAITING) Thread.onSpinWait()
                    FakeDevice(at.name(), 4096)
                },
            )
        }
        failure.why shouldBe "ram:d0: its calls in flight did not end within 200ms"
        gate.open()
        stuck.join()
        first.device.write(ByteBuffer.allocate(512), 0)
        One(table, limits = patient).run({ at, _ -> FakeDevice(at.name(), 4096) }).devices shouldBe 2
    }

    "a new version that never answers, and an old one that never flushes, are given up" {
        val table = DeviceTable()
        val old = FakeDevice("d0", 4096)
        table.open(old)
        shouldThrow<KernelError.DriverUnusable> {
            One(table, limits = strict).run({ _, _ -> awaitCancellation() })
        }.why shouldBe "ram:d0: the new version did not open it within 200ms"
        shouldThrow<KernelError.DriverUnusable> {
            One(table, NewOpening.BESIDE, HandOverLimits(preparing = 200.milliseconds)).run(
                { _, _ -> awaitCancellation() },
            )
        }
        val gate = old.hanging()
        shouldThrow<KernelError.DriverUnusable> {
            One(table, limits = HandOverLimits(preparing = 200.milliseconds)).run(
                { at, _ -> FakeDevice(at.name(), 4096) },
            )
        }.why shouldBe "ram:d0: the old version did not flush within 200ms"
        gate.open()
        old.isClosed shouldBe false
        table.open.single().device.flush()
    }

    "a flush that fails for the hand-over fails for the one who relies on flushes, once" {
        val table = DeviceTable()
        val old = FakeDevice("d0", 4096)
        val device = table.open(old).device
        old.failing(FakeDevice.Operation.FLUSH, MediumErrorException("d0", 0, 512, null))
        shouldThrow<KernelError.DriverUnusable> {
            One(table, limits = patient).run({ at, _ -> FakeDevice(at.name(), 4096) })
        }.why shouldContain "medium error"
        old.sound()
        shouldThrow<MediumErrorException> { device.flush() }
        device.flush()
    }

    "a flush that the hand-over left behind is waited for by the next, before the old device is closed" {
        val table = DeviceTable()
        val old = fakes(2)
        old.forEach { table.open(it) }
        val gate = old[0].hanging()
        val flush = FakeDevice.Operation.FLUSH
        old[1].faulty { what, _, _ ->
            gate.awaitArrivals(1)
            if (what == flush) throw MediumErrorException("d1", 0, 512, null)
        }

        suspend fun upgrade() = One(table, limits = strict).run({ at, _ -> FakeDevice(at.name(), 4096) })
        shouldThrow<KernelError.DriverUnusable> { upgrade() }.why shouldContain "medium error"
        old.forEach { it.sound() }
        old[0].busy() shouldBe 1
        shouldThrow<KernelError.DriverUnusable> { upgrade() }.why shouldContain "calls in flight did not end"
        old[0].isClosed shouldBe false
        gate.open()
        while (old[0].busy() > 0) Thread.onSpinWait()
        upgrade().devices shouldBe 2
    }

    "an opening during the hand-over waits, and gets the new version" {
        val table = DeviceTable()
        table.open(FakeDevice("d0", 4096))
        var version = 1
        var second: OpenedDevice? = null
        lateinit var late: Thread
        One(table, limits = patient).run(
            { at, _ ->
                late = thread {
                    second = table.openings.pass {
                        table.add(address("d1"), OpenOptions.DEFAULT, FakeDevice("v$version", 4096))
                    }
                }
                while (late.state != Thread.State.WAITING) Thread.onSpinWait()
                FakeDevice(at.name(), 4096)
            },
        ) { version = 2 }.devices shouldBe 1
        late.join()
        second?.device?.info()?.id() shouldBe "v2"
        table.open.size shouldBe 2
    }

    "an opening that hangs fails the hand-over" {
        val table = DeviceTable()
        table.openings.enter()
        shouldThrow<KernelError.DriverUnusable> {
            One(table, limits = HandOverLimits(preparing = 50.milliseconds)).run({ _, _ -> error("not asked") })
        }.why shouldContain "is being opened"
        table.openings.leave()
        One(table, limits = patient).run({ _, _ -> error("not asked") }).devices shouldBe 0
    }

    "a device that is closed on the way is left out, and closed for good" {
        val table = DeviceTable()
        val old = fakes(2)
        val (first, second) = old.map { table.open(it) }
        val new = ArrayList<FakeDevice>()
        One(table, limits = patient).run(
            { at, _ ->
                if (at == first.address) first.device.close()
                FakeDevice(at.name(), 4096).also { synchronized(new) { new += it } }
            },
        ).devices shouldBe 1
        new.filter { it.info().id() == "d0" }.all { it.isClosed } shouldBe true
        old.all { it.isClosed } shouldBe true
        first.device.present.shouldBeNull()
        first.device.isOnline shouldBe false
        shouldThrow<DeviceGoneException> { first.device.flush() }
        table.open shouldBe listOf(second)
        second.device.isOnline shouldBe true
    }

    "a cancelled hand-over leaves the old serving" {
        val table = DeviceTable()
        val old = FakeDevice("d0", 4096)
        val device = table.open(old).device
        for (opening in NewOpening.entries) {
            val asked = CompletableDeferred<Unit>()
            val running = launch(Dispatchers.Default) {
                One(table, opening, patient).run(
                    { _, _ ->
                        asked.complete(Unit)
                        awaitCancellation()
                    },
                )
            }
            asked.await()
            running.cancelAndJoin()
            device.flush()
            device.present shouldBeSameInstanceAs old
            old.isClosed shouldBe false
        }
    }

    "an old device that does not close is told, and keeps nobody waiting" {
        val table = DeviceTable()
        val hanging = FakeDevice.Gate()
        val old = object : BlockDevice by FakeDevice("d0", 4096) {
            override fun close() = hanging.strike(FakeDevice.Operation.FLUSH, 0, 0)
        }
        table.open(old)
        val limits = patient.copy(closing = 50.milliseconds)
        val report = One(table, limits = limits).run({ at, _ -> FakeDevice(at.name(), 4096) })
        report.devices shouldBe 1
        report.notes shouldContain "the old version's device may still be open: ram:d0: it did not close"
        hanging.open()
    }

    for (opening in NewOpening.entries) {
        "verified writes go on through hundreds of hand-overs, half of which fail, opening $opening" {
            val seed = 20_260_101
            val random = kotlin.random.Random(seed)
            val stores = List(2) { Store("s$it", 96 * Store.BLOCK) }
            val memory = opening == NewOpening.PAUSED
            val table = DeviceTable()
            val opened = stores.map { table.open(it.open(memory)) }
            val writers = opened.mapIndexed { at, it -> Writers(it.device, seed + at, threads = 3) }
            val pauses = ArrayList<UpgradeReport>()
            var failed = 0
            withContext(Dispatchers.Default) {
                while (pauses.size < 300 && writers.all { it.failures.isEmpty() }) {
                    val fault = random.nextInt(8)
                    try {
                        pauses += One(table, opening, patient).run(
                            { at, _ ->
                                val store = stores.first { it.id == at.name() }
                                when {
                                    store.id == "s0" || fault > 3 -> store.open(memory)
                                    fault == 0 -> error("it does not open")
                                    fault == 1 -> store.open(memory, size = store.size * 2)
                                    fault == 2 -> store.open(memory, id = "another")
                                    else -> Speechless(store.open(memory))
                                }
                            },
                        ) { if (fault == 4) throw KernelError.InUse("the kernel", "has second thoughts") }
                    } catch (_: KernelError) {
                        failed++
                    }
                }
            }
            stores.forEach { it.closedTooEarly.get() shouldBe 0 }
            val ledgers = writers.map { it.end() }
            writers.forEach { it.failures.shouldBeEmpty() }
            opened.forEach { it.device.flush() }
            stores.map { it.content().toList() } shouldBe ledgers.map { it.toList() }
            stores.forEach { store -> store.devices.filter { !it.isClosed }.size shouldBe 1 }
            println(
                "$opening: ${pauses.size} hand-overs under ${writers.sumOf { it.calls() }} calls, $failed failed; " +
                    "longest pause ${pauses.maxOf { it.longestPause }}, median " +
                    "${pauses.map { it.longestPause }.sorted()[pauses.size / 2]}",
            )
        }
    }
})
