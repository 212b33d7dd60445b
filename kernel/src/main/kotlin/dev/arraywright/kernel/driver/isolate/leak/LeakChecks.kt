package dev.arraywright.kernel.driver.isolate.leak

import com.sun.management.HotSpotDiagnosticMXBean
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.AtomicLong

/** Looks at one place that may hold a driver. */
internal interface LeakCheck {
    /** Who there holds the loader, or something of it; runs no code of the driver. */
    fun holders(loader: WatchedLoader): List<LeakHolder>

    /** What it cannot see, a sentence each. */
    fun unseen(): List<String> = emptyList()
}

/**
 * How to find out what holds a driver that does not go.
 *
 * Most holders are found by asking the JDK. Some places can be looked at only through a dump of the heap, which stops
 * the process for about a second for each 500 MiB in use; so that is not done beyond [heapDumpUpTo].
 *
 * @param dispatcher where collections and checks run; they block
 * @param heapDumpUpTo bytes of heap in use; 0: never
 */
public class LeakChecks(
    internal val dispatcher: CoroutineDispatcher = Dispatchers.IO,
    private val heapDumpUpTo: Long = 256L shl 20,
) {
    internal val all: List<LeakCheck> = listOf(
        ThreadCheck(),
        ThreadLocalCheck(),
        ShutdownHookCheck(),
        LoggingCheck(),
        JmxCheck(),
        DefaultsCheck(),
        TypeCheck(),
        JnaCheck(),
    )

    private val diagnostics = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean::class.java)
    private val turn = Mutex()
    private val begun = AtomicLong()

    /** Has the garbage collected by a collection that begins after this call, if the JVM does so on request. */
    internal suspend fun collect() {
        val before = begun.get()
        turn.withLock {
            if (begun.get() > before) return
            begun.incrementAndGet()
            withContext(dispatcher) { System.gc() }
        }
    }

    /** Finds paths through a dump of the heap, if that is not too large. */
    internal fun heap(serial: Long, holders: MutableList<LeakHolder>, unseen: MutableList<String>) {
        if (diagnostics.getVMOption("DisableExplicitGC").value == "true") {
            unseen += "what is garbage: -XX:+DisableExplicitGC has this JVM collect when it pleases, so it may go yet"
        }
        val used = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
        if (used > heapDumpUpTo) {
            unseen += "the heap: it is ${used shr 20} MiB, and is dumped up to ${heapDumpUpTo shr 20} MiB only"
            return
        }
        try {
            val paths = HeapPaths.toLoader(serial, diagnostics)
            if (paths.isEmpty()) unseen += "references that are not strong: the heap has no strong path to the driver"
            holders += paths
        } catch (e: Exception) {
            unseen += "the heap: it cannot be dumped and read: $e"
        }
    }
}
