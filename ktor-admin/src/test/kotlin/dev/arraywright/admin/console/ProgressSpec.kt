package dev.arraywright.admin.console

import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import dev.arraywright.kernel.Activity
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class ProgressSpec : StringSpec({
    fun shown(interactive: Boolean, silent: Boolean = false): String {
        val recorder =
            TerminalRecorder(if (interactive) AnsiLevel.TRUECOLOR else AnsiLevel.NONE, outputInteractive = interactive)
        Progress.on(Terminal(terminalInterface = recorder), silent).use { progress ->
            (0..95L).forEach { progress.show(Activity("rebuild", it, 100)) }
        }
        return recorder.output()
    }

    "elsewhere than on a terminal a plain line tells every ten per cent" {
        shown(interactive = false).trim().lines() shouldBe (0..10).map { "rebuild ${it * 10}%" }
    }

    "on a terminal a bar moves" {
        shown(interactive = true).run {
            this shouldContain "rebuild"
            this shouldContain "\u001b["
        }
    }

    "things that go on at once are told apart" {
        val recorder = TerminalRecorder(AnsiLevel.NONE, outputInteractive = false)
        Progress.on(Terminal(terminalInterface = recorder)).use { progress ->
            progress.show("1", "rebuild a-1", 10, 100)
            progress.show("2", "rebuild b-1", 90, 100)
            progress.show("1", "rebuild a-1", 15, 100)
            progress.show("1", "rebuild a-1", 20, 100)
            progress.show("2", "rebuild b-1", 100, 100)
        }
        recorder.output().trim().lines() shouldBe
            listOf("rebuild a-1 10%", "rebuild b-1 90%", "rebuild a-1 20%", "rebuild b-1 100%")
    }

    "nothing is shown where only JSON is wanted" {
        shown(interactive = true, silent = true) shouldBe ""
    }
})
