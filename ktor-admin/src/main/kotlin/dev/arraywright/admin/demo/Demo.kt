package dev.arraywright.admin.demo

import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.Progress
import dev.arraywright.admin.serve.Foreground
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.file.Path
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.createTempDirectory
import kotlin.io.path.deleteRecursively
import kotlin.time.TimeSource

/** `arraywright demo` */
internal class Demo :
    Command(
        "demo",
        "Play the whole story on temporary files in under a minute; ends with 0 only if every byte compared equal.",
        "arraywright demo",
        "arraywright demo --keep",
    ) {
    private val keep by option().flag().help("leave the temporary files, and say where")

    override suspend fun execute() {
        Foreground(exitCode = INTERRUPTED).use { foreground ->
            val directory = withContext(Dispatchers.IO) { createTempDirectory("arraywright-demo-") }
            try {
                play(directory, foreground)
            } finally {
                withContext(NonCancellable + Dispatchers.IO) { leave(directory) }
            }
        }
    }

    private suspend fun play(directory: Path, foreground: Foreground): Unit = coroutineScope {
        val began = TimeSource.Monotonic.markNow()
        val steps = mutableListOf<Step>()
        val story = async {
            val socket = places.runtime.claim("demo")
            Story(directory, socket, places.samples) { Progress.on(terminal, printsJson) }.play { step ->
                steps += step
                say("${step.number}. ${step.title}: ${step.result} (${step.millis} ms)")
            }
        }
        val watch = launch {
            foreground.awaitEnd()
            story.cancel(CancellationException("the process was told to end"))
        }
        story.await()
        watch.cancel()
        show(steps) { "every byte compared equal, after ${began.elapsedNow().inWholeMilliseconds} ms" }
    }

    @OptIn(ExperimentalPathApi::class)
    private fun leave(directory: Path) {
        if (keep) say("the files are in $directory") else directory.deleteRecursively()
    }

    private companion object {
        /** What a shell expects of a command ended by SIGINT. */
        const val INTERRUPTED = 130
    }
}
