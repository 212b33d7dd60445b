package dev.arraywright.admin.cli.protect

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.spare.ScrubView
import dev.arraywright.kernel.spare.SpareView
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.serialization.json.Json
import java.io.RandomAccessFile
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** What an operator does about arrays that look after themselves, against a serving process on files. */
class ProtectSpec : StringSpec({
    suspend fun Served.spares(): List<SpareView> =
        Json.decodeFromString<List<SpareView>>(run("spare", "list", "-o", "json").ok().out)

    "a spare is added, shown with why it would do, kept in the configuration, and removed" {
        Served.with {
            val spare = blank("spare")
            run("spare", "add", spare, "--domain", "shelf2").ok()
            spares().single().run {
                address shouldBe "file:$spare"
                size shouldBe (16L shl 20)
                domain shouldBe "shelf2"
                array shouldBe null
                verdicts.single().array shouldBe "vault"
            }
            run("spare", "list").ok().out.run {
                this shouldContain "file:$spare"
                this shouldContain "16MiB"
                this shouldContain "shelf2"
                this shouldContain "vault: eligible"
            }
            configuration().spares.single().run { address to domain } shouldBe ("file:$spare" to "shelf2")
            run("spare", "remove", spare).ok()
            spares().shouldBeEmpty()
            configuration().spares.shouldBeEmpty()
            run("spare", "list").ok().out.trim() shouldBe "there is no spare"
        }
    }

    "a spare of one array is listed with that array" {
        Served.with {
            val spare = blank("spare")
            run("spare", "add", spare, "--array", "vault").ok()
            spares().single().array shouldBe "vault"
            configuration().arrays.single().spares shouldContainExactly listOf("file:$spare")
            detail().members.map { it.address to it.state } shouldContain ("file:$spare" to "spare")
            run("spare", "remove", spare).ok()
            configuration().arrays.single().spares.shouldBeEmpty()
        }
    }

    "a failed member is replaced by the spare, and the configuration lists who is there now" {
        Served.with {
            val spare = blank("spare")
            run("spare", "add", spare).ok()
            run("fail", "vault", members[1]).ok()
            idle().members.filter { it.slot == 1 }.map { it.address } shouldContainExactly listOf("file:$spare")
            eventually(10.seconds) {
                configuration().run {
                    spares.shouldBeEmpty()
                    arrays.single().members.toSet() shouldBe setOf(
                        "file:${members[0]}",
                        "file:${members[2]}",
                        "file:$spare",
                    )
                }
            }
            val topics = run("events", "--since", "1").ok().out.lines().filter {
                it.isNotBlank()
            }.map { it.split("  ")[2] }
            val story = listOf("device.failed", "device.failover.started", "device.rebuild.started", "array.recovered")
            topics.filter { it in story } shouldContainExactly story
            topics shouldContain "device.rebuild.complete"
        }
    }

    "a rebuild can be forced where the policy leaves it to people, and is followed to its end" {
        Served.with(policy = """"autoFailover": false""") {
            val spare = blank("spare")
            run("spare", "add", spare).ok()
            run("fail", "vault", "1").ok()
            detail().health shouldBe ArrayHealth.DEGRADED
            run("rebuild", "list").ok().out.trim() shouldBe "nothing is rebuilt"
            run("rebuild", "force", "vault", "1", "--onto", spare, "--wait").ok()
            idle().members.single { it.slot == 1 }.address shouldBe "file:$spare"
        }
    }

    "a rebuild is held, goes on, and is ended" {
        Served.with(policy = """"autoFailover": false, "rebuildFloor": "64KiB", "rebuildCeiling": "64KiB"""") {
            val spare = blank("spare")
            run("spare", "add", spare).ok()
            run("fail", "vault", "1").ok()
            run("rebuild", "force", "vault", members[1]).ok()
            val id = eventually(10.seconds) {
                run("rebuild", "list").ok().out.lines()[1].trim().substringBefore(' ')
            }
            run("rebuild", "pause", id).ok()
            eventually(10.seconds) { run("rebuild", "list").ok().out shouldContain "paused" }
            run("detail", "vault").ok().out shouldContain "Rebuild : $id: rebuild"
            run("rebuild", "resume", id).ok()
            run("policy", "set", "rebuildCeiling=none").ok()
            idle()
            run("rebuild", "cancel", id).run {
                code shouldBe 1
                err shouldContain id
            }
        }
    }

    "a member that works is replaced without a moment of less redundancy" {
        Served.with {
            val spare = blank("spare")
            run("spare", "add", spare).ok()
            run("rebuild", "replace", "vault", members[0], "--onto", spare, "--wait").ok()
            eventually(20.seconds) { detail().members.single { it.slot == 0 }.address shouldBe "file:$spare" }
            run("events", "--since", "1", "--topic", "array.degraded").ok().out shouldBe ""
            eventually(10.seconds) {
                configuration().arrays.single().members.toSet() shouldBe
                    setOf("file:$spare", "file:${members[1]}", "file:${members[2]}")
            }
        }
    }

    "a scrub finds what is wrong, tells where, and mends it" {
        Served.with {
            run("scrub", "start", "vault").ok()
            val report = suspend { run("scrub", "report", "vault", "-o", "json").ok().out }
            val scrub = suspend { Json.decodeFromString<List<ScrubView>>(report()).single() }
            eventually(20.seconds) { scrub().run { phase to mismatches } shouldBe ("complete" to 0L) }
            RandomAccessFile(members[0], "rw").use {
                it.seek(8L shl 20)
                it.write(Random(1).nextBytes(4096))
            }
            run("scrub", "start", "vault", "--repair").ok()
            eventually(20.seconds) { scrub().run { mode to phase } shouldBe ("repair" to "complete") }
            scrub().mismatches shouldBeGreaterThan 0
            run("scrub", "report").ok().out.run {
                this shouldContain "vault: repair 100.0%"
                this shouldContain "Offset"
            }
            run("detail", "vault").ok().out shouldContain "Scrub : repair 100.0%"
            run("scrub", "start", "vault").ok()
            eventually(20.seconds) {
                scrub().run { listOf(mode, phase, "$mismatches") } shouldBe listOf("check", "complete", "0")
            }
        }
    }

    "the policy is shown and set, live and in the configuration" {
        Served.with {
            run("policy", "show").ok().out shouldContain Regex("rebuildPriority +.*= 50")
            run("policy", "set", "rebuildPriority=80", "scrubInterval=30d", "latency.ratio=7.5").ok()
            run("policy", "show").ok().out.run {
                this shouldContain Regex("rebuildPriority +.*= 80")
                this shouldContain Regex("scrubInterval +.*= 30d")
                this shouldContain Regex("latency.ratio +.*= 7.5")
            }
            configuration().policy.run { rebuildPriority to latency.ratio } shouldBe (80 to 7.5)
            run("policy", "set", "scrubInterval=none").ok().out shouldContain Regex("scrubInterval +.*= none")
        }
    }

    "one call makes an array with bitmap, spare and policy, and exports it; all of it is kept" {
        Served.with {
            val spare = blank("spare")
            val own = bench.members(3, "n")
            run(
                "create",
                "new",
                "--level",
                "5",
                "--size",
                "16MiB",
                own,
                "--assume-clean",
                "--bitmap",
                "auto",
                "--policy",
                "rebuildPriority=70",
                "--shared-spare",
                spare,
                "--export",
            ).ok()
            run("detail", "new").ok().out shouldContain "Bitmap : "
            run("policy", "show").ok().out shouldContain Regex("rebuildPriority +.*= 70")
            spares().map { it.address } shouldContainExactly listOf("file:$spare")
            configuration().run {
                arrays.single { it.name == "new" }.export?.name shouldBe "new"
                policy.rebuildPriority shouldBe 70
                this.spares.map { it.address } shouldContainExactly listOf("file:$spare")
            }
        }
    }

    "one call that cannot be done leaves nothing behind" {
        Served.with {
            val own = bench.members(3, "n")
            refused(
                "create",
                "new",
                "--level",
                "5",
                "--size",
                "16MiB",
                own,
                "--assume-clean",
                "--policy",
                "rebuildPriority=70",
                "--shared-spare",
                members[0],
                "--export",
                because = "vault",
            )
            run("detail").ok().out shouldNotContain "new:"
            run("policy", "show").ok().out shouldContain Regex("rebuildPriority +.*= 50")
        }
    }
})
