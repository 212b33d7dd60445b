package dev.arraywright.samples.benchmarks.machine

import dev.arraywright.samples.benchmarks.driver.JarScan
import java.io.IOException
import java.lang.management.ManagementFactory
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.name
import kotlin.io.path.readText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes

/** A new JVM like this one, which has loaded and compiled nothing yet. What it finds out it prints as `name=value`. */
internal class FreshJvm(task: String, arguments: List<Any>) {
    private val process: Process

    init {
        val command = listOf(Path.of(System.getProperty("java.home"), "bin", "java").toString()) +
            ManagementFactory.getRuntimeMXBean().inputArguments +
            listOf("-cp", System.getProperty("java.class.path"), "$PACKAGE.FreshJvmKt", task) +
            arguments.map { it.toString() }
        process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    }

    /** What it has found out, once it has ended. */
    fun found(within: Duration = 5.minutes): Map<String, String> {
        val lines = process.inputStream.bufferedReader().readLines()
        check(process.waitFor(within.inWholeSeconds, TimeUnit.SECONDS)) { "a JVM does not end" }
        check(process.exitValue() == 0) { "a JVM ended with ${process.exitValue()}" }
        return lines.filter { '=' in it }.associate { it.substringBefore('=') to it.substringAfter('=') }
    }

    private companion object {
        const val PACKAGE = "dev.arraywright.samples.benchmarks.machine"
    }
}

/** In the new JVM. */
public fun main(arguments: Array<String>) {
    val rest = arguments.drop(1)
    when (arguments[0]) {
        "look" -> FirstLook(rest).run()
        "read" -> PlainReads(rest).run()
        "scan" -> println("ns=${JarScan.scan(Path.of(rest[0]))}")
        "inflate" -> println("ns=${JarScan.inflate(Path.of(rest[0]))}")
        "idle" -> IdleProcess(rest).run()
        else -> throw IllegalArgumentException(arguments[0])
    }
}

/** What the kernel counts of this process. */
internal object Own {
    private val self = Path.of("/proc/self")

    /** Nanoseconds on a processor of all threads that are there, the JVM's own among them. */
    fun cpu(): Long = threads().values.sumOf { it.cpu }

    /** Read calls and what they gave, those of all threads. */
    fun reads(): Reads {
        val lines = self.resolve("io").readText().lines().associate {
            it.substringBefore(": ") to (it.substringAfter(": ").toLongOrNull() ?: 0)
        }
        return Reads(lines.getValue("syscr"), lines.getValue("rchar"))
    }

    fun threads(): Map<String, Usage> =
        self.resolve("task").toFile().listFiles().orEmpty().mapNotNull { thread(it.toPath()) }.toMap()

    private fun thread(task: Path): Pair<String, Usage>? =
        try {
            val cpu = task.resolve("schedstat").readText().substringBefore(' ').toLong()
            val waits = task.resolve("status").readText().lines().first { it.startsWith("voluntary") }
            "${task.name} ${task.resolve("comm").readText().trim()}" to
                Usage(cpu, waits.substringAfter(':').trim().toLong())
        } catch (_: IOException) {
            // It ended after it was listed.
            null
        }
}

/** Read calls, and bytes that they gave. */
internal data class Reads(val calls: Long, val bytes: Long) {
    operator fun minus(other: Reads) = Reads(calls - other.calls, bytes - other.bytes)
}

/** Nanoseconds on a processor, and times that a thread has waited: each is a wake-up. */
internal data class Usage(val cpu: Long, val waits: Long)
