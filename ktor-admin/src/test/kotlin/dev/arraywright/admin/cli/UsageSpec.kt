package dev.arraywright.admin.cli

import dev.arraywright.admin.Bench
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

class UsageSpec : StringSpec({
    val bench = autoClose(Bench())

    "an unknown option is answered with the one that was meant, and 2" {
        bench.run("create", "vault", "--levle", "6", "m0.img").run {
            code shouldBe 2
            err shouldContain "no such option --levle. Did you mean --level?"
            out shouldBe ""
        }
    }

    "an unknown command is answered with the one that was meant, and 2" {
        bench.run("creat").run {
            code shouldBe 2
            err shouldContain "Did you mean create?"
        }
    }

    "a size that is none is answered with how to write one" {
        bench.run("create", "vault", "--level", "6", "--size", "3Mx", "m0.img").run {
            code shouldBe 2
            err shouldContain "write it like 512KiB or 64MiB"
        }
    }

    "a wrong address is answered with its place, before anything is opened" {
        bench.run("create", "vault", "--level", "1", "nbd://", "/m1").run {
            code shouldBe 2
            err shouldContain "position 6"
        }
    }

    "every command has help with examples" {
        val commands =
            listOf(
                "create",
                "assemble",
                "stop",
                "detail",
                "fail",
                "add",
                "remove",
                "export",
                "serve",
                "demo",
                "events",
            ) +
                listOf("add", "remove", "list").map { "spare $it" } +
                listOf("list", "pause", "resume", "cancel", "force", "replace").map { "rebuild $it" } +
                listOf("start", "pause", "resume", "stop", "report").map { "scrub $it" } +
                listOf("policy show", "policy set") +
                listOf("list", "show", "watch", "capabilities", "platform", "memory", "numa").map { "hardware $it" } +
                listOf("scan", "list", "info", "load", "unload", "upgrade").map { "driver $it" }
        commands.forEach { command ->
            bench.run(command.split(' '), "--help").ok().out.run {
                this shouldContain "Usage: arraywright $command"
                this shouldContain "Examples:\narraywright $command"
            }
        }
    }

    "the version is shown" {
        bench.run(
            "--version",
        ).ok().out.trim() shouldBe Regex("arraywright \\d+\\.\\d+\\.\\d+\\S*").find(bench.run("--version").out)?.value
    }

    "a failure is two lines, or a problem document with -o json, and a stack trace only with --debug" {
        bench.run("stop", "vault").run {
            code shouldBe 1
            err shouldBe
                "arraywright: there is no running array vault: no process here holds an array\n" +
                "  to do: start one with arraywright serve, or name the members\n"
        }
        bench.run("stop", "vault", "-o", "json").run {
            code shouldBe 1
            val problem = Json.parseToJsonElement(err).jsonObject
            problem["code"]!!.jsonPrimitive.content shouldBe "not-found"
            problem["status"]!!.jsonPrimitive.content shouldBe "404"
        }
        bench.run("stop", "vault").err shouldNotContain "at dev.arraywright"
        bench.run("stop", "vault", "--debug").err shouldContain "at dev.arraywright"
    }

    "options that need each other say so" {
        bench.run("create", "vault", "--level", "1", "/m0", "/m1", "--export").err shouldContain "serving process"
        bench.run("assemble", "vault").err shouldContain "--scan"
        bench.run("export", "vault", "--port", "1").err shouldContain "belong to the process that holds vault"
    }
})
