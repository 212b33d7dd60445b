package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.LifeBasis
import dev.arraywright.hardware.health.LifeTrend
import dev.arraywright.hardware.health.epoch
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.doubles.shouldBeBetween
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.checkAll
import kotlin.random.Random
import kotlin.time.Duration.Companion.days
import kotlin.time.DurationUnit

class LifePredictorSpec : StringSpec({
    val policy = HealthPolicy()

    /** A sample a day of what [of] makes of the day, and the prediction on the last. */
    fun predict(days: Int, of: (Int) -> HealthReading): LifeTrend? {
        val samples = (0..days).map { HealthSample.of(of(it), epoch + it.days) }
        val now = epoch + days.days
        return LifePredictor.predict(HealthHistory.of(samples, now), of(days), policy, now)
    }

    fun reading() = HealthReading(epoch, setOf(HealthSource.NVME_LOG))

    fun used(percent: Int) = reading().copy(percentageUsed = percent)

    "a device that wears by 1 % in 10 days has 10 days left for each percent" {
        val life = predict(400) { used(10 + it / 10) }.shouldNotBeNull()
        life.basis shouldBe LifeBasis.PERCENTAGE_USED
        life.perDay.shouldBeBetween(0.0999, 0.1001, 0.0)
        life.left.toDouble(DurationUnit.DAYS).shouldBeBetween(499.0, 501.0, 0.0)
    }

    "too few steps, or too short a time, predict nothing" {
        predict(39) { used(it / 10) }.shouldBeNull()
        predict(50) { used(it / 10) }.shouldNotBeNull()
        predict(6) { used(it) }.shouldBeNull()
        predict(300) { used(50) }.shouldBeNull()
        predict(0) { used(99) }.shouldBeNull()
    }

    "single figures that are wrong do not matter" {
        val random = Random(4)
        val life = predict(400) {
            used(if (it < 400 && random.nextInt(40) == 0) 255 else 10 + it / 10)
        }.shouldNotBeNull()
        life.perDay.shouldBeBetween(0.08, 0.12, 0.0)
    }

    "a device that has stopped wearing lives the longer the longer that is" {
        fun stopped(days: Int) = predict(100 + days) { used(if (it < 100) it / 2 else 50) }.shouldNotBeNull()
        stopped(1).perDay.shouldBeBetween(0.49, 0.51, 0.0)
        stopped(50).perDay.shouldBeBetween(0.015, 0.025, 0.0)
        (stopped(200).left > stopped(100).left) shouldBe true
    }

    "spare runs out at its threshold, and the shortest life counts" {
        val life = predict(100) {
            used(it / 10).copy(availableSpare = 100 - it / 2, spareThreshold = 20)
        }.shouldNotBeNull()
        life.basis shouldBe LifeBasis.AVAILABLE_SPARE
        life.left.toDouble(DurationUnit.DAYS).shouldBeBetween(59.0, 61.0, 0.0)
    }

    "a disk that reallocates ever more sectors reaches the policy's limit" {
        val life = predict(40) { reading().copy(reallocatedSectors = it.toLong()) }.shouldNotBeNull()
        life.basis shouldBe LifeBasis.REALLOCATED_SECTORS
        life.left.toDouble(DurationUnit.DAYS).shouldBeBetween(9.9, 10.1, 0.0)
    }

    "past the end nothing is left" {
        predict(130) { used(it) }.shouldNotBeNull().left shouldBe 0.days
    }

    "any history predicts a life from now to a hundred years, or nothing" {
        checkAll(200, Arb.list(Arb.int(0..255), 1..200)) { figures ->
            val life = predict(figures.lastIndex) { used(figures[it]).copy(availableSpare = figures[it] % 101) }
            if (life != null) (life.left in 0.days..36_500.days && life.perDay > 0) shouldBe true
        }
    }
})
