package dev.arraywright.hardware.memory.balloon

import java.lang.management.ManagementFactory

/** The Java heap, as far as it can be given back to the kernel. */
internal interface HeapCollector {
    /** Collects if that can make the heap smaller; blocks meanwhile. */
    fun collect(): HeapRelease
}

/**
 * This JVM's: asks for a full collection where the collector gives memory back after one.
 *
 * | collector | gives back |
 * | --- | --- |
 * | Serial, G1 | at a full collection, down to what MaxHeapFreeRatio leaves |
 * | Shenandoah | right after a requested collection |
 * | ZGC | what has been unused for ZUncommitDelay |
 * | Parallel, Epsilon | little, nothing: not asked |
 */
internal class JvmCollector(
    private val beans: List<String> = ManagementFactory.getGarbageCollectorMXBeans().map { it.name },
    private val arguments: () -> List<String> = { ManagementFactory.getRuntimeMXBean().inputArguments },
    private val heap: () -> HeapUse = ::heapUse,
    private val request: () -> Unit = System::gc,
) : HeapCollector {
    override fun collect(): HeapRelease {
        val before = heap()
        val obstacle = obstacle(before)
        if (obstacle != null) return HeapRelease(false, obstacle, before.committed, before.committed)
        request()
        return HeapRelease(true, "collected by ${name()}", before.committed, heap().committed)
    }

    private fun obstacle(use: HeapUse): String? =
        when {
            name() == null -> "the collector (${beans.joinToString()}) does not give memory back"
            "-XX:+DisableExplicitGC" in arguments() -> "explicit collections are disabled"
            use.committed <= use.initial -> "the heap is at its least size of ${use.initial} bytes"
            else -> null
        }

    private fun name(): String? = COLLECTORS.entries.find { (prefix, _) -> beans.any { it.startsWith(prefix) } }?.value

    private companion object {
        val COLLECTORS = mapOf(
            "G1 " to "G1",
            "ZGC " to "ZGC",
            "Shenandoah " to "Shenandoah",
            "MarkSweepCompact" to "Serial",
        )

        fun heapUse(): HeapUse =
            ManagementFactory.getMemoryMXBean().heapMemoryUsage.let { HeapUse(it.init.coerceAtLeast(0), it.committed) }
    }
}

/** Bytes the heap began with, below which it never goes, and bytes it has now. */
internal data class HeapUse(val initial: Long, val committed: Long)
