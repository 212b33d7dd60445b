package dev.arraywright.admin.cli.protect

import dev.arraywright.admin.Bench
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** What cannot be meant is refused with the reason, and changes nothing. */
class ProtectBadInputSpec : StringSpec({
    "a spare that is too small" {
        Served.with { refused("spare", "add", blank("small", mebibytes = 2), because = "small") }
    }

    "a spare of one array that is too small" {
        Served.with { refused("spare", "add", blank("small", 2), "--array", "vault", because = "small") }
    }

    "a spare that is in use" {
        Served.with {
            refused("spare", "add", members[0], because = "vault")
            val other = bench.members(2, "other")
            run("create", "other", "--local", "--level", "1", "--size", "16MiB", other, "--assume-clean").ok()
            refused("spare", "add", other[0], because = "other")
        }
    }

    "a spare that is added twice" {
        Served.with {
            val spare = blank("spare")
            run("spare", "add", spare).ok()
            refused("spare", "add", spare, because = "spare already")
            refused("spare", "add", spare, "--array", "vault", because = "spare already")
        }
    }

    "a spare that is not there, and one that is none" {
        Served.with {
            refused("spare", "add", bench.members(1, "none").single(), because = "none0.img")
            refused("spare", "remove", members[0], because = "vault")
            refused("spare", "remove", blank("nobody"), because = "nobody0.img")
        }
    }

    "an array that is not there" {
        Served.with {
            val spare = blank("spare")
            refused("spare", "add", spare, "--array", "nope", because = "nope")
            refused("rebuild", "force", "nope", "0", because = "nope")
            refused("rebuild", "replace", "nope", "0", because = "nope")
            refused("scrub", "start", "nope", because = "nope")
            refused("scrub", "report", "nope", because = "nope")
        }
    }

    "a rebuild onto a healthy member" {
        Served.with {
            run("spare", "add", blank("spare")).ok()
            refused("rebuild", "force", "vault", members[0], "--onto", members[1], because = "healthy member of vault")
            refused("rebuild", "force", "vault", "0", because = "0")
            refused("rebuild", "replace", "vault", members[0], "--onto", members[1], because = "m1.img")
            refused("rebuild", "replace", "vault", "7", because = "7")
        }
    }

    "a rebuild without a spare, and one that there is not" {
        Served.with(policy = """"autoFailover": false""") {
            refused("rebuild", "replace", "vault", "0", because = "spare")
            run("fail", "vault", "0").ok()
            refused("rebuild", "force", "vault", "0", because = "spare")
            for (change in listOf("pause", "resume", "cancel")) refused("rebuild", change, "x-1", because = "x-1")
        }
    }

    "a scrub that does not run" {
        Served.with {
            for (change in listOf("pause", "resume", "stop")) refused("scrub", change, "vault", because = "scrub")
        }
    }

    "a policy with one wrong word is refused as a whole, with what was meant" {
        Served.with {
            refused(
                "policy",
                "set",
                "rebuildPriority=80",
                "rebuildCeilin=1GiB",
                because = "did you mean 'rebuildCeiling'?",
            )
            refused("policy", "set", "rebuildPriority=80", "scrubInterval=30", because = "such as")
            refused("policy", "set", "rebuildPriority=101", because = "100")
            refused("policy", "set", "autoFailover=maybe", because = "maybe")
            run("policy", "show").ok().out shouldContain Regex("rebuildPriority +.*= 50")
        }
    }

    "where nothing serves, it says how to begin" {
        Bench().use { bench ->
            for (words in listOf("spare list", "rebuild list", "scrub report", "policy show")) {
                bench.run(words.split(' ')).run {
                    code shouldBe 1
                    err shouldContain "start one with arraywright serve"
                }
            }
            bench.run("create", "x", "--level", "1", bench.members(2), "--shared-spare", "/s").err shouldContain
                "--shared-spare needs a serving process"
            bench.run("policy", "set", "rebuildPriority").run {
                code shouldBe 2
                err shouldContain "write it like rebuildPriority=80"
            }
        }
    }
})
