package dev.arraywright.admin.cli.protect

import dev.arraywright.admin.Bench
import dev.arraywright.admin.Outcome
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.config.Configuration
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotBeBlank
import kotlinx.serialization.json.Json
import java.io.RandomAccessFile
import java.nio.file.Path
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** A bench with a serving process, a RAID-5 of three files called `vault`, and what these specs ask of it. */
internal class Served(val bench: Bench, val file: Path, val members: List<String>) {
    suspend fun run(vararg words: Any): Outcome = bench.run(*words)

    /** A new file of [mebibytes], which no array has. */
    fun blank(name: String, mebibytes: Int = 16): String {
        val path = bench.members(1, name).single()
        RandomAccessFile(path, "rw").use { it.setLength(mebibytes.toLong() shl 20) }
        return path
    }

    suspend fun detail(): ArrayStatus =
        Json.decodeFromString<List<ArrayStatus>>(run("detail", "vault", "-o", "json").ok().out).single()

    fun configuration(): Configuration = Configuration.load(file)

    /** Refused with what, why and what to do, and nothing was changed: neither the array nor a file. */
    suspend fun refused(vararg words: Any, because: String) {
        val before = files()
        val status = detail()
        val outcome = run(*words)
        withClue("${words.toList()}: $outcome") {
            outcome.code shouldBe 1
            outcome.err shouldContain because
            outcome.err.lines().filter { it.startsWith("arraywright: ") }.size shouldBe 1
            outcome.err.substringAfter("to do:", "").shouldNotBeBlank()
            outcome.out shouldBe ""
        }
        detail() shouldBe status
        files() shouldBe before
    }

    /** The events are told of what was undone too, and arrays are remembered in the state directory. */
    private fun files() = bench.contents().filterKeys { !it.startsWith("c.journal/") && !it.startsWith("c.state/") }

    companion object {
        /** [policy] stands in the configuration. */
        suspend fun with(policy: String = "", create: List<String> = emptyList(), test: suspend Served.() -> Unit) {
            Bench().use { bench ->
                val file = bench.directory.resolve("c.json")
                file.writeText("""{ "http": {"port": 0}, "nbd": {"port": 0}, "policy": { $policy } }""")
                val members = bench.members(3)
                bench.during("serve", "--config", file) {
                    val made = listOf("--level", "5", "--chunk", "64KiB", "--size", "16MiB", "--assume-clean")
                    bench.run("create", "vault", made, create, members).ok()
                    Served(bench, file, members).run {
                        idle()
                        test()
                    }
                }
            }
        }
    }
}

/** Until the array is whole and nothing runs on it. */
internal suspend fun Served.idle(): ArrayStatus = eventually(30.seconds) {
    detail().also { status ->
        withClue("$status") {
            status.members.filter { it.slot != null }.map { it.state }.toSet() shouldBe setOf("in-sync")
            status.activity shouldBe null
        }
    }
}
