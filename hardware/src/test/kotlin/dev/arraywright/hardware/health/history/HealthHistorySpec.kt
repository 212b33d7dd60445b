package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.health.epoch
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.doubles.plusOrMinus
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.checkAll
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

class HealthHistorySpec : StringSpec({
    fun at(after: Duration, errors: Long? = null) = HealthSample(epoch + after, mediaErrors = errors)

    "a week of hours, two years of days, and no more" {
        var history = HealthHistory.EMPTY
        for (hour in 0 until 24 * 800) history = history.plus(at(hour.hours))
        history.samples.size shouldBeLessThanOrEqual 730 + 168
        val now = history.samples.last().time
        history.samples.count { now - it.time < 7.days } shouldBe 168
        val older = history.samples.filter { now - it.time >= 7.days }
        older.zipWithNext { a, b -> b.time - a.time }.toSet() shouldBe setOf(1.days)
        older.size shouldBe 730
    }

    "a sample within the hour is none" {
        val history = HealthHistory.EMPTY.plus(at(0.hours))
        history.plus(at(59.minutes)) shouldBeSameInstanceAs history
        history.plus(at(60.minutes)).samples.size shouldBe 2
    }

    "a clock that was far ahead spoils nothing once it is right again" {
        val history = HealthHistory.EMPTY.plus(at(0.hours)).plus(at(40_000.days)).plus(at(2.hours))
        history.samples.map { it.time - epoch } shouldBe listOf(0.hours, 2.hours)
    }

    "whatever the clock does, samples are in order and few" {
        checkAll(100, Arb.list(Arb.int(0..40_000), 0..300)) { hours ->
            var history = HealthHistory.EMPTY
            for (hour in hours) history = history.plus(at(hour.hours))
            history.samples.zipWithNext { a, b -> (a.time < b.time) shouldBe true }
            history.samples.size shouldBeLessThanOrEqual HealthHistory.LIMIT
        }
    }

    "growth is by the day, and less than a day is not extrapolated" {
        val history = HealthHistory.EMPTY.plus(at(0.hours, 10)).plus(at(1.hours, 12)).plus(at(50.hours, 30))

        fun growth(after: Duration, errors: Long) = history.growthPerDay(epoch + after, errors) { it.mediaErrors }
        growth(2.hours, 13) shouldBe 3.0
        growth(25.hours, 13) shouldBe 1.0
        growth(49.hours, 36) shouldBe 12.0.plusOrMinus(1e-9)
        growth(74.hours, 31) shouldBe 1.0
    }

    "a counter that was reset has grown by all it shows" {
        val history = HealthHistory.EMPTY.plus(at(0.hours, 100))
        history.growthPerDay(epoch + 1.hours, 7) { it.mediaErrors } shouldBe 7.0
    }

    "without history there is no growth" {
        HealthHistory.EMPTY.growthPerDay(epoch, 7) { it.mediaErrors } shouldBe 0.0
        HealthHistory.EMPTY.plus(at(0.hours)).growthPerDay(epoch + 1.hours, 7) { it.mediaErrors } shouldBe 0.0
    }
})
