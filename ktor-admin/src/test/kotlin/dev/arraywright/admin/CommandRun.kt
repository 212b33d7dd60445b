package dev.arraywright.admin

import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import java.nio.file.Path
import java.security.MessageDigest
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.absolutePathString
import kotlin.io.path.createTempDirectory
import kotlin.io.path.deleteRecursively
import kotlin.io.path.exists
import kotlin.io.path.isRegularFile
import kotlin.io.path.readBytes
import kotlin.io.path.relativeTo
import kotlin.io.path.walk
import kotlin.time.Duration.Companion.seconds

/** What came of a command line run in this process. */
data class Outcome(val code: Int, val out: String, val err: String) {
    fun ok(): Outcome = apply { withClue("stdout: $out\nstderr: $err") { code shouldBe 0 } }
}

/** A directory of its own for members, user data and control sockets, gone after the spec; [more] is environment. */
class Bench(more: Map<String, String> = emptyMap()) : AutoCloseable {
    val directory: Path = createTempDirectory("aw-")
    val runtime: Path = directory.resolve("run")
    val environment: Map<String, String> =
        mapOf("ARRAYWRIGHT_RUNTIME_DIR" to "$runtime", "XDG_DATA_HOME" to "${directory.resolve("data")}") + more

    /** Absolute paths of [count] members, which need not exist. */
    fun members(count: Int, prefix: String = "m"): List<String> =
        List(count) { directory.resolve("$prefix$it.img").absolutePathString() }

    suspend fun run(vararg args: Any): Outcome = run(
        TerminalRecorder(AnsiLevel.NONE, width = 200),
        args.flatMap(::words),
    )

    private suspend fun run(recorder: TerminalRecorder, args: List<String>): Outcome {
        val code = CommandLine(Terminal(terminalInterface = recorder), environment::get).run(args)
        return Outcome(code, recorder.stdout(), recorder.stderr())
    }

    /** A command that runs until [block] is done with it; [block] begins once it printed "ready". */
    suspend fun <T> during(vararg args: Any, block: suspend (String) -> T): T = coroutineScope {
        val recorder = TerminalRecorder(AnsiLevel.NONE, width = 200)
        val running: Deferred<Outcome> = begin(recorder, args.flatMap(::words))
        try {
            eventually(20.seconds) {
                if (running.isCompleted) throw AssertionError("it ended: ${running.await()}")
                recorder.stdout() shouldContain "ready"
            }
            block(recorder.stdout())
        } finally {
            running.cancelAndJoin()
        }
    }

    private fun CoroutineScope.begin(recorder: TerminalRecorder, args: List<String>) =
        async(Dispatchers.Default) { run(recorder, args) }

    /** Every file by name with a checksum of its content: equal before and after what must touch nothing. */
    fun contents(): Map<String, String> = directory.walk().filter { it.isRegularFile() }.associate { file ->
        val digest = MessageDigest.getInstance("SHA-256").digest(file.readBytes())
        "${file.relativeTo(directory)}" to digest.toHexString()
    }

    fun leftSockets(): List<String> =
        if (runtime.exists()) runtime.toFile().list().orEmpty().toList() else emptyList()

    @OptIn(ExperimentalPathApi::class)
    override fun close(): Unit = directory.deleteRecursively()

    private fun words(argument: Any): List<String> =
        if (argument is Collection<*>) argument.map { it.toString() } else listOf(argument.toString())
}
