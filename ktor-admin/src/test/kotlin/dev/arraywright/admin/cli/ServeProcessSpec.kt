package dev.arraywright.admin.cli

import dev.arraywright.admin.Bench
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withTimeout
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** `serve` and `export` as processes of their own, told to end by signals. */
class ServeProcessSpec : StringSpec({
    /** Runs the command in a JVM of its own until it prints "ready", then signals it; exit code and all output. */
    suspend fun Bench.ended(
        signal: String,
        vararg command: String,
    ): Pair<Int, String> = runInterruptible(Dispatchers.IO) {
        val java = ProcessHandle.current().info().command().get()
        val start = listOf(
            java,
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.arraywright.admin.MainKt",
        )
        val builder = ProcessBuilder(start + command).redirectErrorStream(true)
        builder.environment().putAll(environment)
        val process = builder.start()
        try {
            val lines = process.inputReader().lineSequence().iterator()
            val seen = StringBuilder()
            while ("ready" !in seen && lines.hasNext()) seen.appendLine(lines.next())
            ProcessBuilder("kill", "-$signal", "${process.pid()}").start().waitFor()
            while (lines.hasNext()) seen.appendLine(lines.next())
            check(process.waitFor(30, TimeUnit.SECONDS)) { "it did not end: $seen" }
            process.exitValue() to seen.toString()
        } finally {
            process.destroyForcibly()
        }
    }

    for (signal in listOf("TERM", "INT")) {
        "serve ends cleanly on SIG$signal" {
            Bench().use { bench ->
                val members = bench.members(3)
                bench.run("create", "vault", "--level", "5", "--size", "8MiB", members, "--assume-clean").ok()
                val config = bench.directory.resolve("c.json").toFile()
                config.writeText(
                    """{"http": {"port": 0}, "nbd": {"port": 0}, "arrays": [{"name": "vault", "export": {"name": "vault"},
                        "members": [${members.joinToString { "\"file:$it\"" }}]}]}""",
                )
                val (code, output) = withTimeout(60.seconds) { bench.ended(signal, "serve", "--config", "$config") }
                withClue(output) { code shouldBe 0 }
                output shouldContain "nbd://127.0.0.1:"
                bench.leftSockets().shouldBeEmpty()
                bench.run("detail", members).ok().out shouldContain "optimal, clean"
            }
        }
    }

    "export ends cleanly on SIGTERM and removes its socket" {
        Bench().use { bench ->
            val members = bench.members(2)
            bench.run("create", "vault", "--level", "1", "--size", "8MiB", members, "--assume-clean").ok()
            val socket = bench.directory.resolve("nbd.sock")
            val (code, output) = withTimeout(60.seconds) {
                bench.ended("TERM", "export", *members.toTypedArray(), "--socket", "$socket")
            }
            withClue(output) { code shouldBe 0 }
            output shouldContain "nbd+unix:///vault?socket=$socket"
            socket.toFile().exists() shouldBe false
            bench.leftSockets().shouldBeEmpty()
        }
    }
})
