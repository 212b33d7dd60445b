package dev.arraywright.samples.benchmarks.driver

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.samples.benchmarks.PAGE
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

/**
 * Upgrades of a driver, version by version, under a RAID-5 over three of its devices and [queue] writers at random. The
 * anchor is the longest of their writes in half a second without an upgrade.
 */
internal class Upgrades(
    private val queue: Int,
    private val rounds: Int,
    private val keep: Path,
    private val put: (String, Long) -> Unit,
) {
    private val longest = AtomicLong()

    /** @param jar makes the driver's jar of a version, by its number */
    suspend fun run(jar: (Int) -> Path) {
        val jars = List(rounds + 1, jar)
        val kernel = ArraywrightKernel.start(KernelOptions(watch = false))
        try {
            kernel.drivers.load(jars[0], settings = mapOf("keep" to "$keep"))
            val members = List(MEMBERS) { "bench:disk$it" }
            val array = kernel.createArray(
                ArraySpec("bench", RaidLevel.RAID5, members, chunk = 64 * 1024, assumeClean = true),
            )
            withContext(Dispatchers.Default) {
                val writing = launch { repeat(queue) { launch { write(array, Random(it)) } } }
                for (next in jars.drop(1)) round(kernel, next)
                writing.cancel()
            }
            check(array.status.value.health == ArrayHealth.OPTIMAL) { "members failed: ${array.status.value}" }
        } finally {
            kernel.shutdown()
        }
    }

    private suspend fun round(kernel: ArraywrightKernel, jar: Path) {
        // what an unloading asks for, a look at what stays in memory, is over by then
        delay(SETTLE)
        longest.set(0)
        delay(WINDOW)
        put("write.plain", longest.getAndSet(0))
        val report = kernel.drivers.upgrade("bench", jar)
        put("write", longest.get())
        check(report.devices == MEMBERS) { "an upgrade moved ${report.devices} devices" }
        put("pause", report.longestPause.inWholeNanoseconds)
        put("upgrade", report.total.inWholeNanoseconds)
    }

    private suspend fun write(array: ArrayHandle, random: Random) = withContext(Dispatchers.Default) {
        val buffer = ByteBuffer.allocateDirect(PAGE)
        while (isActive) {
            buffer.putLong(0, random.nextLong())
            val took = JarScan.timed { array.write(buffer, random.nextLong(array.size / PAGE) * PAGE) }
            longest.accumulateAndGet(took, ::maxOf)
        }
    }

    private companion object {
        const val MEMBERS = 3
        val SETTLE = 1500.milliseconds
        val WINDOW = 500.milliseconds
    }
}
