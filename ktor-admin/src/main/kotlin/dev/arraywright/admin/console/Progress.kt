package dev.arraywright.admin.console

import com.github.ajalt.mordant.animation.progress.MultiProgressBarAnimation
import com.github.ajalt.mordant.animation.progress.ProgressTask
import com.github.ajalt.mordant.animation.progress.addTask
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.widgets.progress.completed
import com.github.ajalt.mordant.widgets.progress.percentage
import com.github.ajalt.mordant.widgets.progress.progressBar
import com.github.ajalt.mordant.widgets.progress.progressBarLayout
import com.github.ajalt.mordant.widgets.progress.speed
import com.github.ajalt.mordant.widgets.progress.text
import com.github.ajalt.mordant.widgets.progress.timeRemaining
import dev.arraywright.kernel.Activity

/** Shows how far an array's [Activity] is. One at a time; [close] when there will be no more. */
internal interface Progress : AutoCloseable {
    fun show(activity: Activity)

    companion object {
        /** A bar that moves on a terminal, elsewhere a line every ten per cent; nothing if [silent]. */
        fun on(terminal: Terminal, silent: Boolean = false): Progress = when {
            silent -> Silence
            terminal.terminalInfo.outputInteractive -> Bar(terminal)
            else -> Lines { terminal.println(it) }
        }
    }
}

private object Silence : Progress {
    override fun show(activity: Activity) = Unit

    override fun close() = Unit
}

private class Lines(private val print: (String) -> Unit) : Progress {
    private var kind = ""
    private var shown = -1L

    override fun show(activity: Activity) {
        val tenth = if (activity.total == 0L) 0 else activity.done * 10 / activity.total
        if (activity.kind == kind && tenth <= shown) return
        kind = activity.kind
        shown = tenth
        print("$kind ${tenth * 10}%")
    }

    override fun close() {
        if (shown in 0..9) print("$kind 100%")
    }
}

private class Bar(terminal: Terminal) : Progress {
    private val animation = MultiProgressBarAnimation(terminal)
    private var task: ProgressTask<Unit>? = null
    private var kind = ""

    override fun show(activity: Activity) {
        val current = task?.takeIf { activity.kind == kind } ?: begin(activity.kind)
        current.update {
            completed = activity.done
            total = activity.total
        }
        animation.refresh()
    }

    override fun close() {
        task?.update { completed = total ?: 0 }
        animation.refresh(refreshAll = true)
        animation.stop()
    }

    private fun begin(kind: String): ProgressTask<Unit> {
        this.kind = kind
        val layout = progressBarLayout {
            text(kind)
            percentage()
            progressBar()
            completed(suffix = "B")
            speed("B/s")
            timeRemaining()
        }
        return animation.addTask(layout).also { task = it }
    }
}
