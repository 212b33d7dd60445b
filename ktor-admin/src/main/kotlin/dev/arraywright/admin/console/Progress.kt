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

/** Shows how far things are, each by an id of its own. One at a time; [close] when there will be no more. */
internal interface Progress : AutoCloseable {
    /** What [id] stands for is called [label], and [done] of [total] bytes of it are done. */
    fun show(id: String, label: String, done: Long, total: Long)

    /** An array's only activity. */
    fun show(activity: Activity): Unit = show(activity.kind, activity.kind, activity.done, activity.total)

    companion object {
        /** A bar each that moves on a terminal, elsewhere a line every ten per cent; nothing if [silent]. */
        fun on(terminal: Terminal, silent: Boolean = false): Progress = when {
            silent -> Silence
            terminal.terminalInfo.outputInteractive -> Bars(terminal)
            else -> Lines { terminal.println(it) }
        }
    }
}

private object Silence : Progress {
    override fun show(id: String, label: String, done: Long, total: Long) = Unit

    override fun close() = Unit
}

private class Lines(private val print: (String) -> Unit) : Progress {
    private val shown = linkedMapOf<String, Pair<String, Long>>()

    override fun show(id: String, label: String, done: Long, total: Long) {
        val tenth = if (total == 0L) 0 else done * 10 / total
        if (tenth <= (shown[id]?.second ?: -1)) return
        shown[id] = label to tenth
        print("$label ${tenth * 10}%")
    }

    override fun close() {
        // Of things that follow each other, only the last is known to have come to its end.
        shown.values.lastOrNull()?.let { (label, tenth) -> if (tenth < 10) print("$label 100%") }
    }
}

private class Bars(terminal: Terminal) : Progress {
    private val animation = MultiProgressBarAnimation(terminal)
    private val tasks = linkedMapOf<String, ProgressTask<Unit>>()

    override fun show(id: String, label: String, done: Long, total: Long) {
        tasks.getOrPut(id) { begin(label) }.update {
            completed = done
            this.total = total
        }
        animation.refresh()
    }

    override fun close() {
        tasks.values.lastOrNull()?.update { completed = total ?: 0 }
        animation.refresh(refreshAll = true)
        animation.stop()
    }

    private fun begin(label: String): ProgressTask<Unit> {
        val layout = progressBarLayout {
            text(label)
            percentage()
            progressBar()
            completed(suffix = "B")
            speed("B/s")
            timeRemaining()
        }
        return animation.addTask(layout)
    }
}
