package dev.arraywright.admin.peers

import dev.arraywright.admin.Bench
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import kotlinx.serialization.json.Json
import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.absolutePathString
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** `arraywright serve` as a process of its own, which exports over the Unix socket of [uri]; ended by [close]. */
internal class ServeProcess private constructor(
    private val bench: Bench,
    private val process: Process,
) : AutoCloseable {
    val uri: String = "nbd+unix:///vault?socket=${bench.directory.resolve("nbd.sock")}"

    suspend fun detail(): ArrayStatus =
        Json.decodeFromString<List<ArrayStatus>>(bench.run("detail", "vault", "-o", "json").ok().out).single()

    suspend fun events(): List<KernelEvent> = bench.run("events", "--since", "1", "-o", "json").ok().out.lines()
        .filter { it.isNotBlank() }.map { Json.decodeFromString(it) }

    /** Until every slot is in sync and nothing runs. */
    suspend fun whole(within: Duration = 1.minutes): ArrayStatus = until(within) {
        it.health == ArrayHealth.OPTIMAL && it.activity == null
    }

    suspend fun until(within: Duration = 1.minutes, condition: (ArrayStatus) -> Boolean): ArrayStatus =
        eventually(within) { detail().also { withClue("$it") { condition(it) shouldBe true } } }

    /** Ends it as an operator would, and expects that it says all went well. */
    suspend fun stop(): Unit = runInterruptible(Dispatchers.IO) {
        process.destroy()
        check(process.waitFor(60, TimeUnit.SECONDS)) { "it did not end" }
        withClue(bench.log()) { process.exitValue() shouldBe 0 }
    }

    override fun close() {
        process.destroyForcibly().waitFor(20, TimeUnit.SECONDS)
    }

    companion object {
        suspend fun start(bench: Bench, configuration: String = ""): ServeProcess {
            val file = bench.directory.resolve("c.json")
            val socket = bench.directory.resolve("nbd.sock")
            if (!file.exists()) {
                file.writeText("""{ "http": {"port": 0}, "nbd": {"socket": "$socket"}, $configuration }""")
            }
            val command = listOf(
                ProcessHandle.current().info().command().get(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.arraywright.admin.MainKt",
                "serve",
                "--config",
                "$file",
            )
            val log = bench.directory.resolve("serve.log").toFile()
            val builder = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log)
            builder.environment().putAll(bench.environment)
            val process = builder.start()
            try {
                eventually(30.seconds) {
                    withClue(bench.log()) { bench.log().lines().any { it.startsWith("ready") } shouldBe true }
                }
                return ServeProcess(bench, process)
            } catch (e: Throwable) {
                process.destroyForcibly()
                throw e
            }
        }
    }
}

internal fun Bench.log(): String = directory.resolve("serve.log").let { if (it.exists()) it.readText() else "" }

/** An nbdkit that serves a file, which can be killed, stopped in its tracks, and started again. */
internal class Nbdkit(private val file: Path) : AutoCloseable {
    private val socket = file.resolveSibling("${file.fileName}.sock")
    private var process: Process? = null

    val address: String = "nbd+unix:///?socket=${socket.absolutePathString()}"

    suspend fun start() {
        socket.deleteIfExists()
        val words = listOf("${Peers.find("nbdkit").get()}", "-f", "-U", "$socket", "file", "$file")
        process = ProcessBuilder(
            words,
        ).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
        eventually(10.seconds) { Peer.listens(socket) shouldBe true }
    }

    /** It takes requests, and answers none. */
    fun hang(): Unit = signal("STOP")

    fun kill() {
        process?.destroyForcibly()?.waitFor(20, TimeUnit.SECONDS)
        process = null
    }

    override fun close(): Unit = kill()

    private fun signal(name: String) {
        ProcessBuilder("kill", "-$name", "${process!!.pid()}").start().waitFor()
    }
}

/** A load of fio that writes every byte of [size] in pieces of all sizes, and verifies each. */
internal class Fio(uri: String, size: String, rate: String, private val log: File) : AutoCloseable {
    private val process: Process = ProcessBuilder(
        "${Peers.find("fio").get()}",
        "--name=load",
        "--ioengine=nbd",
        "--uri=$uri",
        "--rw=randwrite",
        "--bsrange=4k-64k",
        "--size=$size",
        "--rate=$rate",
        "--iodepth=8",
        "--fsync=64",
        "--verify=crc32c",
        "--do_verify=1",
        "--verify_fatal=1",
        "--verify_state_save=0",
        "--randseed=7",
    ).redirectErrorStream(true).redirectOutput(log).directory(log.parentFile).start()

    val running: Boolean get() = process.isAlive

    /** Waits for its end, and expects that it saw neither an error nor a wrong byte. */
    suspend fun passes(): Unit = runInterruptible(Dispatchers.IO) {
        check(process.waitFor(3, TimeUnit.MINUTES)) { "fio did not end: ${log.readText()}" }
        withClue(log.readText()) { process.exitValue() shouldBe 0 }
    }

    override fun close() {
        process.destroyForcibly().waitFor(20, TimeUnit.SECONDS)
    }
}
