package dev.arraywright.hardware.memory.balloon

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class JvmCollectorSpec : StringSpec({
    fun collect(beans: List<String>, arguments: List<String> = emptyList(), initial: Long = 10): HeapRelease {
        var use = HeapUse(initial, 100)
        return JvmCollector(beans, { arguments }, { use }) { use = use.copy(committed = 40) }.collect()
    }

    "collectors that give memory back are asked" {
        val all = mapOf(
            "G1" to listOf("G1 Young Generation", "G1 Concurrent GC", "G1 Old Generation"),
            "ZGC" to listOf("ZGC Minor Cycles", "ZGC Minor Pauses", "ZGC Major Cycles", "ZGC Major Pauses"),
            "Shenandoah" to listOf("Shenandoah Pauses", "Shenandoah Cycles"),
            "Serial" to listOf("Copy", "MarkSweepCompact"),
        )
        for ((name, beans) in all) collect(beans) shouldBe HeapRelease(true, "collected by $name", 100, 40)
    }

    "others are not, for a reason" {
        collect(listOf("PS Scavenge", "PS MarkSweep")).detail shouldContain "PS MarkSweep"
        collect(listOf("Epsilon Heap")).collected shouldBe false
        collect(listOf("Copy", "MarkSweepCompact"), listOf("-XX:+DisableExplicitGC")).detail shouldContain "disabled"
        collect(listOf("Copy", "MarkSweepCompact"), initial = 100) shouldBe
            HeapRelease(false, "the heap is at its least size of 100 bytes", 100, 100)
    }

    "this JVM's collector is a known one" {
        JvmCollector().collect().detail shouldContain Regex("collected by|does not give|least size|disabled")
    }
})
