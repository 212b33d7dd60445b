package dev.arraywright.admin.console

import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.NullableOption
import com.github.ajalt.clikt.parameters.options.RawOption
import com.github.ajalt.clikt.parameters.options.convert
import dev.arraywright.admin.control.Control
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.spare.RebuildView
import dev.arraywright.spi.device.ByteSize
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.milliseconds

/** A count of bytes such as `64MiB`. */
internal fun RawOption.byteSize(): NullableOption<Long, Long> = convert("SIZE") {
    try {
        ByteSize.parse(it)
    } catch (e: IllegalArgumentException) {
        fail("${e.message}; write it like 512KiB or 64MiB")
    }
}

/** What a bit of a bitmap stands for: a size, `auto`, or `none`. */
internal fun RawOption.bitmap(): NullableOption<Int, Int> = convert("SIZE") {
    when (it) {
        "auto" -> ArraySpec.AUTO_BITMAP
        "none" -> NO_BITMAP
        else -> try {
            Math.toIntExact(ByteSize.parse(it))
        } catch (e: RuntimeException) {
            fail("${e.message}; write it like 64MiB, or auto, or none")
        }
    }
}

/** Waits until no resync and no rebuild runs on [array], and shows how far they are. */
internal suspend fun Command.follow(control: Control, array: String): ArrayStatus =
    Progress.on(terminal, silent = printsJson).use { progress -> control.awaitIdle(array, progress::show) }

/** `NAME=VALUE` each. */
internal fun settings(words: List<String>, example: String = POLICY_EXAMPLE): Map<String, String> = words.associate {
    if ('=' !in it.drop(1)) throw UsageError("'$it' is no setting; write it like $example")
    it.substringBefore('=') to it.substringAfter('=')
}

/** Waits until no rebuild of [array] is under way, and shows how far each is; gives how they were seen last. */
internal suspend fun Command.followRebuilds(control: Control, array: String): List<RebuildView> {
    val seen = linkedMapOf<String, RebuildView>()
    Progress.on(terminal, silent = printsJson).use { progress ->
        while (true) {
            val running = control.protection.status().rebuilds.filter { it.array == array }
            running.forEach {
                seen[it.id] = it
                progress.show(it.id, "${it.kind} ${it.id}", it.done, it.total)
            }
            if (running.none { it.phase !in ENDED }) break
            delay(POLL)
        }
    }
    return seen.values.toList()
}

/** Says that there is to be none. */
internal const val NO_BITMAP = 0
private const val POLICY_EXAMPLE = "rebuildPriority=80"
private val POLL = 500.milliseconds
private val ENDED = setOf("complete", "failed", "cancelled")
