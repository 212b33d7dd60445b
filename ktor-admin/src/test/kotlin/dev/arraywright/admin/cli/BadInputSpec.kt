package dev.arraywright.admin.cli

import dev.arraywright.admin.Bench
import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.core.test.Enabled
import io.kotest.core.test.TestCase
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotBeBlank
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.copyTo
import kotlin.io.path.createDirectory
import kotlin.io.path.writeBytes
import kotlin.random.Random

/** Bad input gets one clear message with what to do and a non-zero exit code, and touches nothing. */
class BadInputSpec : StringSpec({
    suspend fun Bench.refused(vararg command: Any, because: String, code: Int = 1) {
        val before = contents()
        val outcome = run(*command)
        withClue("${command.toList()}: $outcome") {
            outcome.code shouldBe code
            outcome.err shouldContain because
            outcome.err.lines().filter { it.startsWith("arraywright: ") }.size shouldBe 1
            outcome.err.substringAfter("to do:", "").shouldNotBeBlank()
            outcome.out shouldBe ""
        }
        contents() shouldBe before
        leftSockets().shouldBeEmpty()
    }

    suspend fun Bench.made(count: Int = 3): List<String> = members(count).also {
        run("create", "vault", "--level", "5", "--size", "8MiB", it, "--assume-clean").ok()
    }

    fun bench(test: suspend Bench.() -> Unit): suspend () -> Unit = { Bench().use { it.test() } }

    "a member of the wrong size" {
        bench {
            val members = made()
            val small = members(1, "small").single().also { Path.of(it).writeBytes(ByteArray(4 shl 20)) }
            run("fail", "vault", "0", "--members", members).ok()
            refused("add", "vault", small, "--members", members.drop(1), because = "small")
            val tiny = members(2, "tiny").onEach { Path.of(it).writeBytes(ByteArray(4096)) }
            refused("create", "x", "--level", "1", tiny, because = "4096 bytes")
        }()
    }

    "a member full of garbage" {
        bench {
            val members = made()
            val garbage = members(1, "garbage").single().also { Path.of(it).writeBytes(Random(1).nextBytes(8 shl 20)) }
            refused("assemble", garbage, because = "garbage")
            refused("detail", garbage, because = "garbage", code = 4)
            refused("assemble", members + garbage, because = "garbage")
        }()
    }

    "a member of another array" {
        bench {
            val members = made()
            val other = members(2, "other").also {
                run("create", "other", "--level", "1", "--size", "8MiB", it, "--assume-clean").ok()
            }
            refused("assemble", members + other, because = "other")
            refused("create", "third", "--level", "1", other[0], members[0], because = "other")
            refused("add", "vault", other[0], "--members", members, because = "other")
            refused("fail", "vault", other[0], "--members", members, because = "other")
            refused("fail", "vault", "3", "--members", members, because = "no such member")
        }()
    }

    "a member named twice" {
        bench {
            val members = made()
            refused("assemble", members + members[0], because = "m0.img")
            refused(
                "create",
                "x",
                "--level",
                "1",
                members(1, "x") + members(1, "x"),
                "--size",
                "8MiB",
                because = "x0.img",
            )
        }()
    }

    "a file that is not there" {
        bench {
            val members = made()
            refused("assemble", members.take(2), members(1, "none"), because = "none0.img")
            refused("create", "x", "--level", "1", members(2, "none"), because = "none0.img")
            refused("detail", members(1, "none"), because = "none0.img", code = 4)
        }()
    }

    "a file that cannot be written".config(enabledOrReasonIf = needs(Peers.ROOT, "mount")) {
        bench {
            val members = made()
            val sealed = directory.resolve("sealed").createDirectory()
            val mounted = listOf("mount", "-t", "tmpfs", "-o", "size=64m", "arraywright", "$sealed")
            Peer.run(Duration.ofSeconds(10), *mounted.toTypedArray()).orFail()
            try {
                val inside = members.map { Path.of(it).copyTo(sealed.resolve(Path.of(it).fileName)).toString() }
                Peer.run(Duration.ofSeconds(10), "mount", "-o", "remount,ro", "$sealed").orFail()
                refused("assemble", inside, because = "m0.img")
                refused("create", "x", "--level", "1", inside.take(2), "--force", because = "m0.img")
            } finally {
                Peer.run(Duration.ofSeconds(10), "umount", "$sealed").orFail()
            }
        }()
    }

    "a disk too full for the files".config(enabledOrReasonIf = needs(Peers.ROOT, "mount")) {
        bench {
            val small = directory.resolve("small").createDirectory()
            Peer.run(Duration.ofSeconds(10), "mount", "-t", "tmpfs", "-o", "size=4m", "arraywright", "$small").orFail()
            try {
                val inside = List(3) { "${small.resolve("m$it.img")}" }
                refused("create", "x", "--level", "5", inside, "--size", "8MiB", "--preallocate", because = "m0.img")
            } finally {
                Peer.run(Duration.ofSeconds(10), "umount", "$small").orFail()
            }
        }()
    }

    "a port in use" {
        bench {
            val members = made()
            ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { taken ->
                refused("export", members, "--port", taken.localPort, because = "${taken.localPort}")
            }
        }()
    }

    "an unknown level, a chunk that is none, too few members, a name that is none" {
        bench {
            refused("create", "x", "--level", "7", members(4), "--size", "8MiB", because = "7")
            refused("create", "x", "--level", "5", members(4), "--size", "8MiB", "--chunk", "5000", because = "5000")
            refused("create", "x", "--level", "6", members(2), "--size", "8MiB", because = "raid6")
            refused("create", "x".repeat(40), "--level", "1", members(2), "--size", "8MiB", because = "32")
        }()
    }

    "a member that another process has" {
        bench {
            val members = made()
            during("export", members, "--port", "0") {
                run("assemble", members).run {
                    code shouldBe 1
                    err shouldContain "m0.img"
                    err shouldContain "to do:"
                }
            }
            run("assemble", members).ok()
        }()
    }
})

/** Skips by name, with the reason, where a peer is missing; fails there if peers are required. */
internal fun needs(vararg peers: String): (TestCase) -> Enabled = {
    Peers.missing(*peers)?.let(Enabled::disabled) ?: Enabled.enabled
}
