package dev.arraywright.samples.benchmarks.machine

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.samples.benchmarks.KeyValues
import dev.arraywright.samples.benchmarks.Series
import dev.arraywright.samples.benchmarks.form
import dev.arraywright.samples.benchmarks.printTable
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * What a kernel takes that has nothing to do: all of its JVM, with and without what watches the machine, which differ
 * by what that takes. All run at the same time.
 */
internal class Idle(options: KeyValues) {
    private val seconds = options.int("seconds", 60)
    private val settle = options.int("settle", 60)
    private val rounds = options.int("rounds", 1)
    private val kinds = listOf("jvm", "plain", "watch", "plain-array", "watch-array")
    private val cpu = kinds.associateWith { Series() }
    private val compilers = kinds.associateWith { Series() }
    private val wakes = kinds.associateWith { Series() }
    private val monitors = listOf(Series(), Series())
    private val settled = listOf(Series(), Series())
    private var threads = emptyMap<String, Usage>()

    suspend fun run() {
        println("idle: $seconds s after $settle s to settle, $rounds rounds of all at the same time")
        repeat(rounds) { round() }
        println("all of the process, median [least most]: % of a core; times a second that a thread of it is woken")
        val titles = listOf("anchor: a JVM that waits", "anchor: kernel, watch=false", "kernel") +
            listOf("anchor: one array, watch=false", "one array")
        val rows = kinds.zip(titles) { kind, title ->
            listOf(cpu, compilers).map { it.getValue(kind).show(3) }.let { (all, compiler) ->
                listOf(title, all, compiler, wakes.getValue(kind).show(1))
            }
        }
        printTable(listOf(listOf("", "CPU", "of that, the JVM's compilers", "wake-ups")) + rows)
        println("all monitors (with less without): ${monitors[0].show(3)} %, with an array ${monitors[1].show(3)} %")
        println("of that without the JVM's compilers: ${settled[0].show(3)} %, with an array ${settled[1].show(3)} %")
        println("target: 0.2 % at most for all monitors")
        println("threads of the kernel that watches and has an array, in the last round:")
        val busiest = threads.entries.filter { it.value.cpu > 0 }.sortedByDescending { it.value.cpu }
        printTable(
            listOf(listOf("  thread", "CPU us/s", "wake-ups/s")) + busiest.map { (name, usage) ->
                listOf("  $name", "%.1f".form(usage.cpu / 1e3 / seconds), "%.2f".form(usage.waits.toDouble() / seconds))
            },
        )
    }

    private fun round() {
        val running = kinds.associateWith { FreshJvm("idle", listOf(it, seconds, settle)) }
        val found = running.mapValues { it.value.found((seconds + settle).seconds + 1.minutes) }
        for ((kind, figures) in found) {
            cpu.getValue(kind) += figures.getValue("percent").toDouble()
            compilers.getValue(kind) += figures.getValue("compilers").toDouble()
            wakes.getValue(kind) += figures.getValue("wakes").toDouble()
        }

        fun figure(kind: String, name: String) = found.getValue(kind).getValue(name).toDouble()
        for ((i, array) in listOf("", "-array").withIndex()) {
            val (with, without) = listOf("watch", "plain").map { kind ->
                figure("$kind$array", "percent") to figure("$kind$array", "compilers")
            }
            monitors[i] += with.first - without.first
            settled[i] += with.first - with.second - (without.first - without.second)
        }
        val last = found.getValue("watch-array")
        println("looks at devices meanwhile: ${last["looks"]} (those of an idle machine: the full one each minute)")
        threads = last.filterKeys { it.startsWith(THREAD) }.map { (name, usage) ->
            val (cpu, waits) = usage.split(' ')
            name.removePrefix(THREAD) to Usage(cpu.toLong(), waits.toLong())
        }.toMap()
    }

    companion object {
        const val THREAD: String = "thread "
    }
}

/** In a JVM of its own: a kernel that waits. */
internal class IdleProcess(arguments: List<String>) {
    private val kind = arguments[0]
    private val seconds = arguments[1].toInt()
    private val settle = arguments[2].toInt()

    fun run(): Unit = runBlocking {
        if (kind == "jvm") {
            watched(null)
            return@runBlocking
        }
        val kernel = ArraywrightKernel.start(KernelOptions(watch = kind.startsWith("watch")))
        if (kind.endsWith("array")) {
            val members = List(4) { "memory:16MiB#idle$it" }
            kernel.createArray(ArraySpec("idle", RaidLevel.RAID5, members, assumeClean = true))
        }
        watched(kernel)
        kernel.shutdown()
    }

    private suspend fun watched(kernel: ArraywrightKernel?) {
        delay(settle.seconds)
        val looked = kernel?.looks() ?: 0
        val before = Own.threads()
        val began = System.nanoTime()
        delay(seconds.seconds)
        val after = Own.threads()
        val time = System.nanoTime() - began
        // one that has ended since had little to do
        val used = after.mapValues { (name, usage) ->
            val then = before[name] ?: Usage(0, 0)
            Usage(usage.cpu - then.cpu, usage.waits - then.waits)
        }
        println("percent=${used.values.sumOf { it.cpu } * 100.0 / time}")
        val compilers = used.filterKeys { "C1 Comp" in it || "C2 Comp" in it }.values
        println("compilers=${compilers.sumOf { it.cpu } * 100.0 / time}")
        println("wakes=${used.values.sumOf { it.waits } * 1e9 / time}")
        println("looks=${(kernel?.looks() ?: 0) - looked}")
        for ((name, usage) in used) println("${Idle.THREAD}$name=${usage.cpu} ${usage.waits}")
    }

    private fun ArraywrightKernel.looks(): Long =
        machine?.monitor?.status?.value?.let { it.fullLooks + it.partialLooks } ?: 0
}
