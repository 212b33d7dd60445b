package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.PooledBuffers
import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.simulation.SimulatedDisk
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.milliseconds

class CachedReadsSpec : StringSpec({
    fun cache(limit: Long = 8 * MIB) = ReadCache(limit, PooledBuffers(8 * MIB))

    fun List<SimulatedDisk>.read() = sumOf { it.bytesRead }

    suspend fun Bench.array(level: RaidLevel, disks: List<SimulatedDisk>, clean: Boolean = true): RaidArray =
        arrays.create(CreateSpec("a", level, 16_384, assumeClean = clean), disks.map { it.open() })

    "what was read once is read from the cache, at any offset within it" {
        for (level in RaidLevel.entries) {
            val cache = cache()
            Bench(cache).run {
                val disks = disks(4)
                val array = array(level, disks)
                val bytes = random.nextBytes(100_000)
                array.put(5000, bytes)
                array.get(5000, bytes.size) shouldBe bytes
                val read = disks.read()
                array.get(6000, 70_000) shouldBe bytes.copyOfRange(1000, 71_000)
                array.get(9999, 1) shouldBe bytes.copyOfRange(4999, 5000)
                disks.read() shouldBe read
                cache.stats.hits shouldBe 2
                array.stop()
                cache.stats.bytes shouldBe 0
            }
        }
    }

    "writes, zeroes and discards are seen at once" {
        val cache = cache()
        Bench(cache).run {
            val array = array(RaidLevel.RAID5, disks(4))
            val model = random.nextBytes(array.size.toInt())
            array.put(0, model)
            repeat(200) {
                val length = random.nextInt(1, 60_000)
                val at = random.nextInt(model.size - length)
                when (random.nextInt(6)) {
                    0 -> random.nextBytes(length).let { bytes ->
                        bytes.copyInto(model, at)
                        array.put(at.toLong(), bytes)
                    }
                    1 -> {
                        model.fill(0, at, at + length)
                        array.writeZeroes(at.toLong(), length.toLong())
                    }
                    2 -> {
                        array.discard(at.toLong(), length.toLong())
                        array.get(0, model.size).copyInto(model)
                    }
                    else -> {
                        val found = array.get(at.toLong(), length)
                        found.contentEquals(model.copyOfRange(at, at + length)) shouldBe true
                    }
                }
            }
            cache.stats.hits shouldNotBe 0
            array.stop()
        }
    }

    "sweeps and large reads leave nothing in it" {
        val cache = cache()
        Bench(cache).run {
            val disks = disks(4, dataSize = 1024 * 1024)
            val array = array(RaidLevel.RAID6, disks, clean = false)
            array.settled()
            array.scrubs.start(ScrubMode.CHECK)
            array.scrubs.status.filterNotNull().first { it.phase.terminal }
            array.get(0, cache.largest + 1)
            cache.stats.bytes shouldBe 0
            array.get(0, cache.largest)
            cache.stats.bytes shouldBe cache.largest.toLong()
            array.stop()
        }
    }

    "nothing is cached of stripes that a resync has not passed" {
        val cache = cache()
        Bench(cache).run {
            val disks = disks(2)
            val array = array(RaidLevel.RAID1, disks, clean = false)
            array.get(array.size - 4096, 4096)
            cache.stats.bytes shouldBe 0
            array.settled()
            array.get(array.size - 4096, 4096)
            cache.stats.bytes shouldBe cache.blockSize.toLong()
            array.stop()
        }
    }

    "what a scrub finds wrong is read anew, also what was being read meanwhile" {
        for (mode in ScrubMode.entries) {
            Bench(cache()).run {
                val disks = disks(5)
                val array = array(RaidLevel.RAID6, disks)
                val data = random.nextBytes(array.size.toInt())
                array.put(0, data)
                array.flush()
                val stripe = 3L
                val slot = array.geometry.dataSlot(stripe, 1)
                val at = stripe * array.geometry.stripeBytes() + array.geometry.unit()
                val wrong = random.nextBytes(1024)
                disks[slot].scribble(MIB + array.geometry.memberOffset(stripe), wrong)
                array.get(at, 1024) shouldBe wrong
                array.get(at, 1024) shouldBe wrong
                coroutineScope {
                    launch {
                        array.scrubs.start(mode)
                        array.scrubs.status.filterNotNull().first { it.phase.terminal }
                    }
                    disks[slot].slowness = 3_000_000
                    repeat(20) { launch { array.get(at + 2048L * (it % 4), 2048) } }
                }
                disks[slot].slowness = 0
                val right = data.copyOfRange(at.toInt(), at.toInt() + 1024)
                array.get(at, 1024) shouldBe if (mode == ScrubMode.REPAIR) right else wrong
                array.stop()
            }
        }
    }

    "a member's loss costs nothing of the cache, and what the member took with it is served" {
        val cache = cache()
        Bench(cache).run {
            val disks = disks(4)
            val array = array(RaidLevel.RAID5, disks)
            val data = random.nextBytes(array.size.toInt())
            array.put(0, data)
            array.get(0, data.size)
            disks[0].gone = true
            array.flush()
            array.state.value.missing shouldBe 1
            val read = disks.read()
            array.get(0, data.size).contentEquals(data) shouldBe true
            disks.read() shouldBe read
            array.stop()
        }
    }

    "an array that has failed serves nothing from the cache, and a stopped one nothing at all" {
        val cache = cache()
        Bench(cache).run {
            val disks = disks(4)
            val array = array(RaidLevel.RAID5, disks)
            array.put(0, random.nextBytes(array.size.toInt()))
            array.get(0, array.size.toInt())
            for (disk in disks.take(2)) disk.gone = true
            shouldThrow<DeviceIoException> { array.flush() }
            shouldThrow<DeviceIoException> { array.get(0, array.size.toInt()) }
            array.stop()
            cache.stats.bytes shouldBe 0
        }
        Bench(cache).run {
            val array = array(RaidLevel.RAID1, disks(2))
            array.get(0, 4096)
            array.stop()
            cache.stats.bytes shouldBe 0
            shouldThrow<DeviceIoException.DeviceGoneException> { array.get(0, 4096) }
        }
    }

    "a write that fails or is called off leaves what members have, not what was cached" {
        val cache = cache()
        Bench(cache).run {
            val disks = disks(2)
            val array = array(RaidLevel.RAID0, disks)
            val old = random.nextBytes(64 * 1024)
            array.put(0, old)
            array.get(0, old.size)
            repeat(50) {
                val from = random.nextInt(60_000)
                val write = CoroutineScope(dispatcher).launch { array.put(from.toLong(), random.nextBytes(4000)) }
                delay(random.nextLong(2).milliseconds)
                write.cancel()
                write.join()
                val now = array.get(0, old.size)
                val held = ByteArray(old.size) { 0 }
                for (stripe in 0 until old.size / 16_384) {
                    val offset = array.geometry.copyOffset(stripe.toLong(), 0)
                    disks[
                        array.geometry.copySlot(
                            stripe.toLong(),
                            0,
                        ),
                    ].peek(MIB + offset, 16_384).copyInto(held, stripe * 16_384)
                }
                now.contentEquals(held) shouldBe true
            }
            array.stop()
        }
    }

    "a read that fails leaves nothing, and what it was to read is there once it can be read" {
        Bench(cache()).run {
            val disks = disks(2)
            val array = array(RaidLevel.RAID0, disks)
            val data = random.nextBytes(64 * 1024)
            array.put(0, data)
            disks[0].spoil(MIB + 4096, 4096)
            shouldThrow<DeviceIoException.MediumErrorException> { array.get(0, data.size) }
            disks[0].cure()
            array.get(0, data.size).contentEquals(data) shouldBe true
            array.stop()
        }
    }

    "a read that was cancelled before it began reads nothing, cached or not" {
        Bench(cache()).run {
            val array = array(RaidLevel.RAID1, disks(2))
            array.get(0, 4096)
            coroutineScope {
                launch {
                    cancel()
                    shouldThrow<CancellationException> { array.read(ByteBuffer.allocate(16), 0) }
                }
            }
            array.stop()
        }
    }

    "a limit of nothing turns it off, and it may be turned on in the middle of a write" {
        val cache = cache(0)
        Bench(cache).run {
            val array = array(RaidLevel.RAID1, disks(2))
            array.get(0, 4096)
            cache.stats.run { hits + misses + bytes } shouldBe 0
            val bytes = random.nextBytes(4096)
            coroutineScope {
                val write = launch { array.put(0, bytes) }
                cache.limit = MIB
                repeat(1000) { if (write.isActive) array.get(0, 4096) }
            }
            repeat(2) { array.get(0, 4096) shouldBe bytes }
            cache.stats.hits shouldBe 1
            array.stop()
        }
    }
})
