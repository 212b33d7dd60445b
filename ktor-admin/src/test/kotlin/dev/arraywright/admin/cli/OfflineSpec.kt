package dev.arraywright.admin.cli

import dev.arraywright.admin.Bench
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.json.Json
import java.nio.file.Path
import kotlin.io.path.deleteExisting

/** The commands without a serving process: each assembles, does its work and stops clean. */
class OfflineSpec : StringSpec({
    fun bench(
        test: suspend Bench.(List<String>) -> Unit,
    ): suspend () -> Unit = { Bench().use { it.test(it.members(6)) } }

    suspend fun Bench.detail(members: List<String>): ArrayStatus =
        Json.decodeFromString<List<ArrayStatus>>(run("detail", members, "-o", "json").ok().out).single()

    "create makes the files, syncs, and leaves a clean array" {
        bench { members ->
            val made = run("create", "vault", "--level", "6", "--size", "16MiB", members.take(5), "--spare", members[5])
            made.ok().out shouldContain "created vault:"
            detail(members).run {
                name shouldBe "vault"
                level shouldBe "raid6"
                health shouldBe ArrayHealth.OPTIMAL
                dirty shouldBe false
                this.members.map { it.state } shouldContainExactly List(5) { "in-sync" } + "spare"
            }
            leftSockets().shouldBeEmpty()
        }()
    }

    "each level can be created, and assembled by a scan of its directory" {
        bench { members ->
            mapOf("0" to 2, "1" to 2, "5" to 3, "6" to 4, "10" to 4).forEach { (level, count) ->
                val own = members(count, "l$level-")
                run("create", "a$level", "--level", level, "--chunk", "64KiB", "--size", "8MiB", own).ok()
                run("assemble", "a$level", "--scan", directory).ok().out shouldContain "assembled a$level:"
            }
        }()
    }

    "detail --test has mdadm's exit codes" {
        bench { members ->
            run("create", "vault", "--level", "5", "--size", "8MiB", members.take(3)).ok()
            run("detail", "--test", members.take(3)).code shouldBe 0
            Path.of(members[0]).deleteExisting()
            run("detail", "--test", members.subList(1, 3)).code shouldBe 1
            run("detail", "--test", members[1]).code shouldBe 2
            run("detail", "--test", members[0]).code shouldBe 4
            run("detail", "--test", "nothing").code shouldBe 4
        }()
    }

    "a member is failed, removed, and another added and rebuilt" {
        bench { members ->
            val five = members.take(5)
            run("create", "vault", "--level", "6", "--size", "16MiB", five, "--assume-clean").ok()
            run("fail", "vault", members[1], "--members", five).ok().out shouldContain "degraded"
            detail(five).health shouldBe ArrayHealth.DEGRADED
            run("create", "x", "--level", "1", "--size", "16MiB", members[5], members(1, "x"), "--assume-clean").ok()
            val rest = five - members[1]
            run("add", "vault", members[5], "--members", rest).run {
                code shouldBe 1
                err shouldContain "to do:"
            }
            Path.of(members[5]).toFile().run { writeBytes(ByteArray(16 shl 20)) }
            run("add", "vault", members[5], "--members", rest).ok().out.run {
                this shouldContain "rebuild"
                this shouldContain "optimal"
            }
            detail(rest + members[5]).health shouldBe ArrayHealth.OPTIMAL
        }()
    }

    "assembling without one member works degraded and says so; without too many it is refused" {
        bench { members ->
            run("create", "vault", "--level", "6", "--size", "8MiB", members.take(4), "--assume-clean").ok()
            run("assemble", members.drop(1).take(3)).ok().out shouldContain "degraded"
            run("assemble", members[2]).run {
                code shouldBe 1
                err shouldContain "to do:"
            }
        }()
    }

    "-o json prints one document and nothing else" {
        bench { members ->
            val made = run("create", "vault", "--level", "1", "--size", "8MiB", members.take(2), "-o", "json").ok()
            Json.decodeFromString<ArrayStatus>(made.out).name shouldBe "vault"
            made.err shouldBe ""
        }()
    }
})
