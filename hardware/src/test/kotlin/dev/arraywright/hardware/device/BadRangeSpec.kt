package dev.arraywright.hardware.device

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe

private const val BLOCK = 4096

class BadRangeSpec : StringSpec({
    /** Finds the bad range of 64 blocks and a half at block 8, where [bad] blocks are bad; counts the reads. */
    fun find(bad: IntRange): Pair<BadRange?, Int> {
        var reads = 0
        val range = BadRange.find(8L * BLOCK, 64L * BLOCK + BLOCK / 2, BLOCK) { at, count ->
            reads++
            count shouldBe if (at == 72L * BLOCK) BLOCK / 2 else BLOCK
            (at / BLOCK).toInt() !in bad
        }
        return range to reads
    }

    "a bad range is found to the block, at the start, in the middle and at the end" {
        for (bad in listOf(8..8, 8..11, 30..30, 30..35, 71..72, 72..72)) {
            val end = if (bad.last == 72) 72L * BLOCK + BLOCK / 2 else (bad.last + 1L) * BLOCK
            find(bad).first shouldBe BadRange(bad.first.toLong() * BLOCK, end - bad.first.toLong() * BLOCK)
        }
    }

    "a fault that passed leaves nothing to name" {
        find(IntRange.EMPTY).first shouldBe null
    }

    "a long bad range is not tried block by block to its end" {
        val (range, reads) = find(10..60)
        range shouldBe BadRange(10L * BLOCK, 62L * BLOCK + BLOCK / 2)
        reads shouldBeLessThanOrEqual 2 + BadRange.PATIENCE
    }
})
