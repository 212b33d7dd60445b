package dev.arraywright.raid.pace

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.doubles.plusOrMinus
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Job
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val MIB = 1L shl 20

class PacerSpec : StringSpec({
    val think = 3.milliseconds

    fun idle(seed: Long, clients: Int): Duration =
        SharedDevice(seed) { PaceLimits() }.run {
            clients(clients, think)
            measure(20.seconds)
        }

    fun SharedDevice.busy(clients: Int = 3): List<Job> {
        work()
        return clients(clients, think)
    }

    "at priority 50 clients keep a p99 within twice of what it is without work, and work has its share" {
        for (seed in 1L..12L) {
            val clients = 1 + (seed % 4).toInt()
            val device = SharedDevice(seed) { PaceLimits() }
            device.busy(clients)
            device.run(8.seconds)
            val ratio = device.measure(20.seconds) / idle(seed, clients)
            val rate = device.rate(8.seconds, 28.seconds) / MIB
            withClue("seed $seed, $clients clients: $ratio times the p99 at $rate MiB/s") {
                ratio shouldBeLessThan 2.0
                rate shouldBeGreaterThan 4.0
            }
        }
    }

    "the higher the priority, the faster the work and the slower the clients" {
        val seen = listOf(0, 25, 50, 75, 90, 100).map { priority ->
            val device = SharedDevice(5) { PaceLimits(priority) }
            device.busy()
            device.run(8.seconds)
            val p99 = device.measure(20.seconds)
            device.rate(8.seconds, 28.seconds) to p99
        }
        for ((lower, higher) in seen.zipWithNext()) lower.first shouldBeLessThan higher.first
        for ((lower, higher) in seen.slice(listOf(0, 2, 3, 5)).zipWithNext()) {
            lower.second shouldBeLessThan higher.second
        }
    }

    "without clients work goes at full speed, never stops, and does so again within 300 ms of their last request" {
        val device = SharedDevice(1) { PaceLimits() }
        device.work()
        device.run(2.seconds)
        val alone = device.rate(Duration.ZERO, 2.seconds)
        alone shouldBeGreaterThan 350e6
        device.pacer.rate shouldBe Long.MAX_VALUE
        val clients = device.clients(3, think)
        device.run(10.seconds)
        device.rate(3.seconds, 12.seconds) shouldBeLessThan alone / 2
        clients.forEach { it.cancel() }
        device.run(2300.milliseconds)
        device.pacer.batch(64 * MIB) shouldBe 64 * MIB
        device.rate(12.3.seconds, 14.3.seconds) shouldBeGreaterThan alone * 0.95
    }

    "work is never below the floor, whatever it does to clients" {
        for ((floor, workers) in listOf(MIB / 2 to 1, 20 * MIB to 1, 20 * MIB to 3)) {
            val device = SharedDevice(3) { PaceLimits(priority = 0, floor = floor) }
            device.work(count = workers)
            device.clients(3, think)
            device.run(20.seconds)
            for (from in 2..15) {
                withClue("floor $floor, from second $from") {
                    device.rate(from.seconds, (from + 5).seconds) shouldBeGreaterThanOrEqualTo floor.toDouble()
                    device.pacer.rate shouldBeGreaterThanOrEqualTo floor
                }
            }
        }
    }

    "work is never above the ceiling, with clients and without, whatever the priority" {
        for (priority in listOf(50, 100)) {
            val ceiling = 30 * MIB
            val device = SharedDevice(4) { PaceLimits(priority, ceiling = ceiling) }
            device.work(count = 2)
            device.run(3.seconds)
            val clients = device.clients(1, 50.milliseconds)
            device.run(6.seconds)
            clients.forEach { it.cancel() }
            device.run(3.seconds)
            for (from in 0..110) {
                withClue("priority $priority, from $from tenths") {
                    // And a batch, since a rate is over time.
                    val rate = device.rate((from * 100).milliseconds, (from * 100 + 1000).milliseconds)
                    rate shouldBeLessThanOrEqualTo ceiling + 4.0 * MIB
                    device.pacer.rate shouldBeLessThanOrEqualTo ceiling
                }
            }
            device.rate(Duration.ZERO, 3.seconds) shouldBeGreaterThan ceiling * 0.9
        }
    }

    "a change of the limits reaches work that waits within 100 ms" {
        for (changed in listOf(PaceLimits(0, 100 * MIB, 100 * MIB), PaceLimits(100))) {
            var limits = PaceLimits(priority = 0, floor = 1000, ceiling = 1000)
            val device = SharedDevice(6) { limits }
            device.clients(1, think)
            device.run(1.seconds)
            val waiting = device.launch { device.pacer.work(MIB) { } }
            device.run(10.seconds)
            waiting.isActive shouldBe true
            limits = changed
            device.run(100.milliseconds)
            waiting.isCompleted shouldBe true
        }
    }

    "an admit waits for bytes / floor and one quiet interval at most" {
        for (seed in 1L..5L) {
            val device = SharedDevice(seed) { PaceLimits(priority = 0, floor = MIB, pause = 1.seconds) }
            device.clients(4, think)
            var longest = Duration.ZERO
            device.launch {
                while (true) {
                    val asked = device.time.markNow()
                    device.pacer.work(256 shl 10) { longest = maxOf(longest, asked.elapsedNow()) }
                }
            }
            device.run(20.seconds)
            longest shouldBeLessThanOrEqualTo 500.milliseconds + 5.milliseconds
        }
    }

    "a batch is as small as 64 KiB, and 1 ms of the rate where that is more" {
        var limits = PaceLimits(floor = MIB)
        val device = SharedDevice(7) { limits }
        device.clients(1, think)
        device.run(100.milliseconds)
        device.pacer.batch(4 * MIB) shouldBe (64 shl 10)
        device.pacer.batch(4096) shouldBe 4096
        limits = PaceLimits(floor = 1000 * MIB)
        device.pacer.batch(4 * MIB) shouldBe MIB
        device.pacer.batch(MIB / 2) shouldBe MIB / 2
    }

    "where requests take long by themselves, batches are as large as they may wait, up to 50 ms' worth" {
        for ((service, expected) in listOf(8.0 to 400_000L, 1.0 to 65_536L)) {
            var limits = PaceLimits(priority = 50, floor = 20 * MIB)
            val device = SharedDevice(12, service.milliseconds) { limits }
            device.work()
            device.clients(1, 20.milliseconds)
            device.run(5.seconds)
            withClue("requests of $service ms") {
                device.pacer.batch(4 * MIB).toDouble() / expected shouldBe (1.0 plusOrMinus 0.15)
            }
            limits = PaceLimits(priority = 50, floor = 2 * MIB, ceiling = 2 * MIB)
            device.pacer.batch(4 * MIB) shouldBeLessThanOrEqualTo 2 * MIB / 20
        }
    }

    "work waits for the pause after each batch while clients are active, and only then" {
        val device = SharedDevice(8) { PaceLimits(floor = MIB, pause = 7.milliseconds, priority = 99) }
        var ended = Duration.ZERO
        var shortest = 1.seconds
        val work = device.launch {
            while (true) {
                device.pacer.work(64 shl 10) {
                    shortest = minOf(shortest, device.now - ended)
                    ended = device.now
                }
            }
        }
        val clients = device.clients(2, think)
        device.run(5.seconds)
        work.cancel()
        clients.forEach { it.cancel() }
        shortest shouldBeGreaterThanOrEqualTo 7.milliseconds
        withClue("a tight loop with no clients") {
            var batches = 0
            device.launch { repeat(1000) { device.pacer.work(1) { batches++ } } }
            device.run(201.milliseconds)
            batches shouldBe 1000
        }
    }

    "work that is cancelled while it waits leaves nothing behind" {
        var limits = PaceLimits(priority = 0, floor = 1000, ceiling = 1000)
        val device = SharedDevice(9) { limits }
        device.clients(1, think)
        val waiting = List(3) { device.launch { device.pacer.work(MIB) { } } }
        device.run(1.seconds)
        waiting.forEach { it.cancel() }
        limits = PaceLimits()
        val after = device.launch { device.pacer.work(MIB / 4) { } }
        device.run(1.seconds)
        after.isCompleted shouldBe true
    }

    "so it is for sparse clients of a fast device, for disks, under a heavy load, and with work in many hands" {
        val cases = listOf(
            Case("sparse", 60.microseconds, 3_000_000_000, 2, 30.milliseconds, 1),
            Case("disk", 8.milliseconds, 150_000_000, 2, 20.milliseconds, 1),
            Case("heavy", 200.microseconds, 1_000_000_000, 6, 1.milliseconds, 1),
            Case("hands", 1.milliseconds, 400_000_000, 3, think, 4),
        )
        for (case in cases) {
            for (seed in 1L..3L) {
                fun device() = SharedDevice(seed, case.service, case.speed) { PaceLimits() }
                val alone = device().run {
                    clients(case.clients, case.think)
                    measure(20.seconds)
                }
                val device = device()
                device.work(count = case.workers)
                device.clients(case.clients, case.think)
                device.run(8.seconds)
                val ratio = device.measure(20.seconds) / alone
                val rate = device.rate(8.seconds, 28.seconds) / MIB
                withClue("${case.name}, seed $seed: $ratio times the p99 at $rate MiB/s") {
                    ratio shouldBeLessThan 2.0
                    rate shouldBeGreaterThanOrEqualTo 1.0
                }
            }
        }
    }

    "when the load changes, so does the reference" {
        val device = SharedDevice(11) { PaceLimits() }
        device.busy(1)
        device.run(8.seconds)
        device.clients(3, think)
        device.run(8.seconds)
        device.measure(20.seconds) / idle(11, 4) shouldBeLessThan 2.0
        device.rate(16.seconds, 36.seconds) shouldBeGreaterThan 8.0 * MIB
    }
})

private class Case(
    val name: String,
    val service: Duration,
    val speed: Long,
    val clients: Int,
    val think: Duration,
    val workers: Int,
)
