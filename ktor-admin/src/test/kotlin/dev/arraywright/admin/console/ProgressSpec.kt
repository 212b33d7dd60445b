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

    "nothing is shown where only JSON is wanted" {
        shown(interactive = true, silent = true) shouldBe ""
    }
})
