package dev.arraywright.raid.health

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.math.exp
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource

class LatencyOutliersSpec : StringSpec({
    fun members(vararg medians: Int) =
        medians.withIndex().associate { (i, median) -> "m$i" to MemberLatency(100, median.milliseconds) }

    /** What is found once [members] have been so for [duration]. */
    fun found(members: Map<String, MemberLatency>, duration: Duration = 65.seconds): Map<String, String> {
        val time = TestTimeSource()
        val outliers = LatencyOutliers(time)
        val start = time.markNow()
        while (start.elapsedNow() < duration) {
            outliers.look(members)
            time += 5.seconds
        }
        return outliers.look(members)
    }

    "one far above the others is found and explained" {
        found(members(9, 210, 9, 10)) shouldBe mapOf("m1" to "its median read takes 210 ms, the others' 9.0 ms")
        found(members(4, 4, 200)).keys shouldBe setOf("m2")
    }

    "only after the time, and a better look in between begins it anew" {
        val time = TestTimeSource()
        val outliers = LatencyOutliers(time)
        val slow = members(9, 210, 9, 10)
        repeat(12) {
            outliers.look(slow).shouldBeEmpty()
            time += 5.seconds
        }
        outliers.look(slow).keys shouldBe setOf("m1")
        outliers.look(members(9, 11, 9, 10)).shouldBeEmpty()
        repeat(12) {
            outliers.look(slow).shouldBeEmpty()
            time += 5.seconds
        }
        outliers.look(slow).keys shouldBe setOf("m1")
    }

    "two looks far apart are no persistence" {
        val time = TestTimeSource()
        val outliers = LatencyOutliers(time)
        outliers.look(members(9, 210, 9))
        time += 600.seconds
        outliers.look(members(9, 210, 9)).shouldBeEmpty()
    }

    "by the ratio alone, by the spread alone, or below the floor it is none" {
        found(members(9, 40, 9, 10)).shouldBeEmpty()
        found(members(2, 20, 200, 300)).shouldBeEmpty()
        found(members(1, 1, 1, 19)).shouldBeEmpty()
        found(members(1, 1, 1, 20)).keys shouldBe setOf("m3")
    }

    "of two members the ratio must be twice as large" {
        found(members(9, 85)).shouldBeEmpty()
        found(members(9, 95)) shouldBe mapOf("m1" to "its median read takes 95 ms, the other's 9.0 ms")
        found(members(95)).shouldBeEmpty()
    }

    "members with few calls neither judge nor are judged" {
        val few = MemberLatency(49, 1.milliseconds)
        found(members(9, 9) + ("few" to few)).shouldBeEmpty()
        found(members(9, 9, 9) + ("few" to few.copy(median = 5.seconds))).shouldBeEmpty()
        found(members(95) + ("few" to few)).shouldBeEmpty()
    }

    "alike members are never found, however slow, and scaling all changes nothing but the floor" {
        for (median in listOf(0, 1, 20, 500, 30_000)) {
            for (count in 1..12) {
                found(members(*IntArray(count) { median })).shouldBeEmpty()
            }
        }
        for (scale in listOf(3, 10, 100)) {
            found(members(9 * scale, 8 * scale, 12 * scale, 30 * scale)).shouldBeEmpty()
            found(members(9 * scale, 8 * scale, 12 * scale, 300 * scale)).keys shouldBe setOf("m3")
        }
    }

    "of noisy members none is found in any seed, and one 50 times slower in each" {
        for (seed in 1L..200L) {
            val random = Random(seed)
            val time = TestTimeSource()
            val count = 3 + random.nextInt(10)
            val slow = random.nextInt(count)

            fun windows(factor: Double): Map<String, MemberLatency> = List(count) { member ->
                val window = LatencyWindow(time)
                val own = exp(random.nextDouble(-0.5, 0.5)) * if (member == slow) factor else 1.0
                repeat(60 + random.nextInt(100)) {
                    // A long tail, as devices have: one call in twenty takes ten times as long.
                    val tail = if (random.nextInt(20) == 0) 10 else 1
                    window.add(25.milliseconds * own * tail * exp(random.nextDouble(-1.0, 1.0)))
                }
                "m$member" to window.summary()
            }.toMap()
            withClue("seed $seed") {
                found(windows(1.0), 62.seconds).shouldBeEmpty()
                found(windows(50.0), 62.seconds).keys shouldBe setOf("m$slow")
            }
        }
    }
})
