package dev.arraywright.admin.cli

import dev.arraywright.admin.Bench
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.config.Configuration
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.json.Json
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.absolutePathString
import kotlin.io.path.deleteExisting
import kotlin.io.path.getPosixFilePermissions
import kotlin.io.path.writeText

/** A serving process, and the commands that talk to it over its socket. */
class ServeSpec : StringSpec({
    fun bench(test: suspend Bench.() -> Unit): suspend () -> Unit = { Bench().use { it.test() } }

    fun Bench.configuration(text: String = ""): Path = directory.resolve("c.json").also {
        it.writeText("""{ "http": {"port": 0}, "nbd": {"port": 0}, $text }""")
    }

    fun health(ready: String): Pair<Int, String> = HttpClient.newHttpClient().use { client ->
        val uri = URI(ready.lines().first { it.endsWith("/health") }.trim())
        client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).let { it.statusCode() to it.body() }
    }

    suspend fun Bench.detail(name: String): ArrayStatus =
        Json.decodeFromString<List<ArrayStatus>>(run("detail", name, "-o", "json").ok().out).single()

    "an array is made, exported, damaged, repaired, stopped and assembled through the server, and kept" {
        bench {
            val file = configuration()
            val members = members(4)
            during("serve", "--config", file) { ready ->
                health(ready) shouldBe (200 to """{"status":"optimal","arrays":{}}""")
                PosixFilePermissions.toString(
                    runtime.resolve("serve.sock").getPosixFilePermissions(),
                ) shouldBe "rw-------"
                val create =
                    run(
                        "create",
                        "vault",
                        "--level",
                        "5",
                        "--size",
                        "16MiB",
                        members.take(3),
                        "--assume-clean",
                        "--export",
                    )
                create.ok()
                Configuration.load(file).arrays.single().run {
                    this.members.size shouldBe 3
                    export?.name shouldBe "vault"
                }
                run("fail", "vault", members[1]).ok().out shouldContain "degraded"
                health(ready) shouldBe (200 to """{"status":"degraded","arrays":{"vault":"degraded"}}""")
                run("detail", "vault", "--test").code shouldBe 1
                run("remove", "vault", members[1]).ok()
                run("stop", "vault").run {
                    code shouldBe 1
                    err shouldContain "exported"
                }
                run("stop", "vault", "--unexport").ok()
                run("detail").ok().out shouldContain "no array is running"
                health(ready).first shouldBe 503
                run("assemble", "vault", members[0], members[2]).ok().out shouldContain "degraded"
                Path.of(members[3]).toFile().writeBytes(ByteArray(16 shl 20))
                run("add", "vault", members[3]).ok()
                run("export", "vault", "--name", "other").ok().out shouldContain "/other"
            }
            Configuration.load(file).arrays.single().members shouldContain "file:${members[3]}"
            leftSockets().shouldBeEmpty()
            during("serve", "--config", file) { ready ->
                ready shouldContain "/other"
                detail("vault").name shouldBe "vault"
            }
        }()
    }

    "an array that cannot be assembled does not stop the others" {
        bench {
            val good = members(2, "good")
            val bad = members(3, "bad")
            run("create", "good", "--level", "1", "--size", "8MiB", good, "--assume-clean").ok()
            run("create", "bad", "--level", "5", "--size", "8MiB", bad, "--assume-clean").ok()
            bad.take(2).forEach { Path.of(it).deleteExisting() }
            val words = { list: List<String> -> list.joinToString { "\"file:$it\"" } }
            val file = configuration(
                """ "arrays": [ {"name": "bad", "members": [${words(
                    bad,
                )}]}, {"name": "good", "members": [${words(good)}]} ] """,
            )
            during("serve", "--config", file) { ready ->
                detail("good").health shouldBe ArrayHealth.OPTIMAL
                health(ready) shouldBe (503 to """{"status":"failed","arrays":{"bad":"failed","good":"optimal"}}""")
            }
        }()
    }

    "a member that is gone leaves its array degraded, and is named" {
        bench {
            val members = members(3)
            run("create", "vault", "--level", "5", "--size", "8MiB", members, "--assume-clean").ok()
            Path.of(members[1]).deleteExisting()
            val words = members.joinToString { "\"file:$it\"" }
            val file = configuration(""" "arrays": [ {"name": "vault", "members": [$words]} ] """)
            during("serve", "--config", file) { ready ->
                detail("vault").health shouldBe ArrayHealth.DEGRADED
                health(ready).first shouldBe 200
            }
        }()
    }

    "a second serving process is refused" {
        bench {
            val file = configuration()
            during("serve", "--config", file) {
                run("serve", "--config", file).run {
                    code shouldBe 1
                    err shouldContain "answers there already"
                }
                run("detail").ok()
            }
        }()
    }

    "a configuration that is wrong is refused with the place and what was meant" {
        bench {
            val file = directory.resolve("c.json").also { it.writeText("""{"arays": []}""") }
            run("serve", "--config", file).run {
                code shouldBe 1
                err shouldContain "did you mean 'arrays'?"
            }
            leftSockets().shouldBeEmpty()
        }()
    }

    "without a configuration a default one is made, and used the next time" {
        bench {
            val data = directory.resolve("data/arraywright")
            data.toFile().mkdirs()
            during("serve") { ready ->
                ready shouldContain "made ${data.resolve("arraywright.json").absolutePathString()}"
                detail("vault").run {
                    level shouldBe "raid6"
                    members.count { it.state == "in-sync" } shouldBe 5
                    members.count { it.state == "spare" } shouldBe 1
                }
            }
            during("serve") { detail("vault").health shouldBe ArrayHealth.OPTIMAL }
        }()
    }
})
