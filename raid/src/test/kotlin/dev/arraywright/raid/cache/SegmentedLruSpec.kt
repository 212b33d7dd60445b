package dev.arraywright.raid.cache

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class SegmentedLruSpec : StringSpec({
    class Named(val name: Int) : SegmentedLru.Entry()

    fun SegmentedLru<Named>.drained(): List<Int> = generateSequence { last()?.also { remove(it) } }
        .map { it.name }.toList()

    "entries that were used once go first, oldest before newest" {
        val order = SegmentedLru<Named>()
        (0 until 10).map { Named(it).also(order::add) }.filter { it.name % 3 == 0 }.forEach(order::used)
        order.drained() shouldBe listOf(1, 2, 4, 5, 7, 8, 0, 3, 6, 9)
    }

    "what is used again and again outlives a scan of any length" {
        val order = SegmentedLru<Named>()
        val hot = (0 until 8).map { Named(it).also(order::add) }
        repeat(2) { order.add(Named(100 + it)) }
        hot.forEach(order::used)
        for (i in 200 until 2000) {
            order.remove(order.last()!!)
            order.add(Named(i))
            if (i % 100 == 0) hot.forEach(order::used)
        }
        order.drained().filter { it < 8 } shouldBe hot.map { it.name }
    }

    "any order is that of two plain lists" {
        for (seed in 1..300) {
            val random = Random(seed)
            val order = SegmentedLru<Named>()
            // Newest first.
            val trial = ArrayList<Named>()
            val kept = ArrayList<Named>()

            fun balance() {
                while (kept.size > (trial.size + kept.size) * 4 / 5) trial.add(0, kept.removeLast())
            }
            repeat(200) { step ->
                val any = (trial + kept).randomOrNull(random)
                when (random.nextInt(5)) {
                    0, 1 -> Named(step).let {
                        order.add(it)
                        trial.add(0, it)
                        balance()
                    }
                    2, 3 -> any?.let {
                        order.used(it)
                        if (!trial.remove(it)) kept.remove(it)
                        kept.add(0, it)
                        balance()
                    }
                    else -> any?.let {
                        order.remove(it)
                        if (!trial.remove(it)) kept.remove(it)
                    }
                }
                order.size shouldBe trial.size + kept.size
                order.last() shouldBe (trial.lastOrNull() ?: kept.lastOrNull())
            }
            order.drained() shouldBe (trial.reversed() + kept.reversed()).map { it.name }
        }
    }
})
