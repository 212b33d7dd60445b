package dev.arraywright.admin.cli.protect

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.long
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.admin.serve.DefaultConfiguration
import dev.arraywright.admin.serve.Kept
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.event.journal.JournalRecord
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transform
import java.nio.file.Path
import kotlin.io.path.isDirectory

/** `arraywright events` */
internal class Events :
    Command(
        "events",
        "Show what happened: of the serving process, or, where none runs, of its journal. The latest " +
            "${EventRequest.LATEST} unless --since says from which number on.",
        "arraywright events --follow",
        "arraywright events --since 17 --topic device.rebuild --topic array",
        "arraywright events --journal /etc/arraywright.journal -o json",
    ) {
    private val follow by option("-f", "--follow").flag().help("go on with what happens, also past a restart of serve")
    private val since by option(metavar = "NUMBER").long().restrictTo(min = 0).help("from this number on")
    private val topics by option("--topic", metavar = "TOPIC").multiple()
        .help("only these; array stands for all that begin with array.; may be repeated")
    private val journal by option(metavar = "DIR").path().help("read this journal, even if a process is serving")
    private val config by option(metavar = "FILE").path()
        .help("where no process serves: the configuration whose journal to read")

    override suspend fun execute() {
        topics.find { topic -> Topic.entries.none { within(it.text, topic) } }?.let { topic ->
            throw UsageError("there is no topic $topic; there are ${Topic.entries.joinToString { it.text }}")
        }
        val control = if (journal == null) Holders(places.runtime).first() else null
        if (control == null) {
            if (follow) throw UsageError("--follow needs a serving process: start arraywright serve")
            print(kept(journal ?: Kept.beside(config ?: DefaultConfiguration.file(places.data)).journal))
        } else {
            control.use { print(it.events(EventRequest(since, follow))) }
        }
    }

    private suspend fun print(events: Flow<KernelEvent>): Unit =
        events.filter { e -> topics.isEmpty() || topics.any { within(e.occurrence.topicText, it) } }
            .collect { show(it, ::line) }

    /** What is damaged is told, and what comes after it is shown. */
    private fun kept(directory: Path): Flow<KernelEvent> {
        if (!directory.isDirectory()) {
            throw KernelError.NotFound(
                "there are no events to show",
                "no process is serving, and there is no journal $directory",
                "name the journal with --journal, or the configuration with --config",
            )
        }
        val events = EventJournal.read(directory, since ?: 1).transform {
            when (it) {
                is JournalRecord.Event -> emit(it.event)
                is JournalRecord.Damaged -> echo("arraywright: $it", err = true)
            }
        }
        return if (since == null) events.latest(EventRequest.LATEST) else events
    }

    private fun line(event: KernelEvent): String =
        "${event.sequence}  ${event.time}  ${event.occurrence.topicText}  ${event.subject}: ${event.message}"

    private fun within(topic: String, wanted: String) = topic == wanted || topic.startsWith("$wanted.")
}

private fun <T> Flow<T>.latest(count: Int): Flow<T> = flow {
    val last = ArrayDeque<T>()
    collect {
        if (last.size == count) last.removeFirst()
        last += it
    }
    last.forEach { emit(it) }
}
