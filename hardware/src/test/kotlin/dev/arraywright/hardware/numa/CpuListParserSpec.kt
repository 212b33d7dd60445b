package dev.arraywright.hardware.numa

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeStrictlyIncreasing
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.Codepoint
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.of
import io.kotest.property.arbitrary.set
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class CpuListParserSpec : StringSpec({
    "single numbers, ranges and both" {
        CpuListParser.parse("0-3,8,10-11") shouldBe listOf(0, 1, 2, 3, 8, 10, 11)
        CpuListParser.parse("7\n") shouldBe listOf(7)
        CpuListParser.parse("0,8,250") shouldBe listOf(0, 8, 250)
        CpuListParser.parse("") shouldBe emptyList()
        CpuListParser.parse("\n") shouldBe emptyList()
    }

    "overlaps count once" {
        CpuListParser.parse("4,2-5,0") shouldBe listOf(0, 2, 3, 4, 5)
    }

    "what is no list is refused with what is wrong" {
        for (text in listOf(
            "a",
            "1-",
            "-1",
            "3-1",
            "1,,2",
            ",",
            "1-2-3",
            "0-99999999999",
            "0-70000",
            "1 2",
            "+1",
            "١",
        )) {
            shouldThrow<CpuListException> { CpuListParser.parse(text) }
        }
    }

    "whatever the kernel would write of a set is that set" {
        checkAll(Arb.set(Arb.int(0 until CpuListParser.MOST), 0..200)) { numbers ->
            CpuListParser.parse(written(numbers.sorted())) shouldBe numbers.sorted()
        }
        checkAll(Arb.set(Arb.int(0..40), 0..40)) { numbers ->
            CpuListParser.parse(written(numbers.sorted())) shouldBe numbers.sorted()
        }
    }

    "no text throws anything but the parser's own exception" {
        val alphabet = Arb.of("0123456789-,,-- \n".map { Codepoint(it.code) })
        checkAll(5000, Arb.string(0..24, alphabet)) { parseOrRefuse(it) }
        checkAll(2000, Arb.string(0..40)) { parseOrRefuse(it) }
        checkAll(2000, Arb.element("0-3,8", "0,8,250", "10-11"), Arb.int(0..6), Arb.string(1..2)) { list, at, noise ->
            parseOrRefuse(list.replaceRange(minOf(at, list.length), minOf(at + 1, list.length), noise))
        }
    }
})

private fun parseOrRefuse(text: String) {
    val numbers = try {
        CpuListParser.parse(text)
    } catch (_: CpuListException) {
        return
    }
    numbers.shouldBeStrictlyIncreasing()
}

/** As the kernel's bitmap_print_to_pagebuf does. */
private fun written(numbers: List<Int>): String {
    val runs = ArrayList<IntRange>()
    for (number in numbers) {
        val last = runs.lastOrNull()
        if (last?.last == number - 1) runs[runs.lastIndex] = last.first..number else runs += number..number
    }
    return runs.joinToString(",", postfix = "\n") { if (it.count() == 1) "${it.first}" else "${it.first}-${it.last}" }
}
