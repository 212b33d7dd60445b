package dev.arraywright.raid.pace

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.doubles.plusOrMinus
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PaceLimitsSpec : StringSpec({
    "limits that make no sense are refused, and the message says which" {
        for ((wrong, what) in listOf<Pair<() -> PaceLimits, String>>(
            { PaceLimits(priority = 101) } to "priority must be from 0 to 100, not 101",
            { PaceLimits(priority = -1) } to "priority",
            { PaceLimits(floor = 0) } to "floor must be above 0",
            { PaceLimits(floor = 2000, ceiling = 1999) } to "ceiling (1999 bytes/s) is below the floor (2000)",
            { PaceLimits(pause = (-1).milliseconds) } to "pause",
            { PaceLimits(pause = 2.seconds) } to "pause must be from 0 to 1 s, not 2s",
        )) {
            shouldThrow<IllegalArgumentException> { wrong() }.message shouldContain what
        }
    }

    "the target is 1.05 at priority 0, 1.5 at 50, and has no bound at 100" {
        PaceLimits(0).target shouldBe (1.05 plusOrMinus 1e-9)
        PaceLimits(50).target shouldBe (1.5 plusOrMinus 1e-9)
        PaceLimits(100).target shouldBe Double.POSITIVE_INFINITY
    }
})
