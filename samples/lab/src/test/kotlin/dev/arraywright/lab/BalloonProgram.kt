package dev.arraywright.lab

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Runs in the guest for [BalloonSpec]: the host takes more memory than the guest can spare without our buffers. */
internal object BalloonProgram {
    private const val MIB = 1L shl 20
    private const val POOL = 512 * MIB
    private const val FILLED = 192 * MIB
    private const val CACHE = 256 * MIB
    private const val BUFFER = 4 shl 20
    private const val READ = 256 shl 10

    /** More than the reserve that is to stay available, which is a 16th. */
    private const val LEFT = 192 * MIB

    /** So that half of what is in the buffers is taken as well. */
    private const val STEPS = 8

    /** MiB of the guest. */
    private const val SIZE = 2048L

    @JvmStatic
    fun main(arguments: Array<String>) = inGuest(KernelOptions(bufferLimit = POOL, readCache = CACHE)) { told ->
        val machine = checkNotNull(told.kernel.machine)
        println("AVAILABLE ${machine.balloon.isAvailable} ${machine.balloon.absence}")
        val printing = launch { machine.balloon.rounds.collect { println("ROUND $it") } }
        until("sources are open") { machine.memory.status.value.isNotEmpty() }
        machine.memory.status.value.forEach { println("SOURCE $it") }
        cache(told)
        fill(told)
        taken(told)
        val lowest = told.pool.idleLimit
        println("@@BAL $SIZE")
        told.await(Topic.MEMORY_PRESSURE, "suffices")
        until("the pool may grow again") { told.pool.idleLimit > lowest + POOL / 8 }
        println("GROWS ${told.pool.idleLimit / MIB}")
        until("the cache may grow again") { told.kernel.cache.limit > CACHE / 2 }
        printing.cancel()
    }

    private suspend fun taken(told: Told) {
        val before = resident()
        println("@@QBAL")
        var take = meminfo("MemAvailable") - LEFT
        take(take)
        // As hosts do it, in steps: all that is left at once, and the JVM would only be paged in and out.
        repeat(STEPS) {
            take += LEFT / 4
            take(take)
            delay(1.seconds)
        }
        told.await(Topic.MEMORY_RELEASED)
        println("@@QBAL")
        val less = (before - resident()) / MIB
        println("INFLATED taken=${take / MIB} less=$less idle=${idle(told)} cached=${cached(told)}")
        println("LIMIT ${told.pool.idleLimit / MIB}")
    }

    /** Has the host take so much in all. */
    private suspend fun take(bytes: Long) {
        println("@@BAL ${SIZE - bytes / MIB}")
        until("the balloon has ${bytes / MIB}") { balloon() >= bytes - MIB }
    }

    /** Reads a whole array, so that the cache has it. */
    private suspend fun cache(told: Told) {
        val drives = (0..3).map { drive("LAB000$it") }
        val array = told.kernel.createArray(ArraySpec("lab", RaidLevel.RAID0, drives, assumeClean = true))
        val buffer = ByteBuffer.allocateDirect(READ)
        for (at in 0 until array.size - READ step READ.toLong()) array.read(buffer.clear(), at)
        println("CACHED cached=${cached(told)}")
    }

    private fun cached(told: Told) = told.kernel.cache.stats.bytes / MIB

    private fun fill(told: Told) {
        val leases = List((FILLED / BUFFER).toInt()) { told.pool.acquire(BUFFER) }
        for (lease in leases) for (at in 0 until BUFFER step 4096) lease.buffer().put(at, 1)
        leases.forEach { it.close() }
        println("FILLED idle=${idle(told)} resident=${resident() / MIB} available=${meminfo("MemAvailable") / MIB}")
    }

    private fun idle(told: Told) = told.pool.stats().idle / MIB

    private suspend fun until(what: String, holds: () -> Boolean) {
        withTimeout(2.minutes) { while (!holds()) delay(200.milliseconds) }
        println("SO $what")
    }

    private fun resident(): Long = kilobytes("/proc/self/status", "VmRSS")

    private fun meminfo(what: String): Long = kilobytes("/proc/meminfo", what)

    private fun kilobytes(file: String, what: String): Long =
        Path.of(file).readLines().first { it.startsWith("$what:") }.filter(Char::isDigit).toLong() shl 10

    /** What the balloon has, by the kernel's own count. */
    private fun balloon(): Long {
        val counters = Path.of("/proc/vmstat").readLines().associate {
            it.substringBefore(' ') to it.substringAfter(' ')
        }
        return (counters.getValue("balloon_inflate").toLong() - counters.getValue("balloon_deflate").toLong()) * 4096
    }
}
