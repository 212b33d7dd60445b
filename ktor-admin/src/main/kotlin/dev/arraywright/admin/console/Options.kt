package dev.arraywright.admin.console

import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.NullableOption
import com.github.ajalt.clikt.parameters.options.RawOption
import com.github.ajalt.clikt.parameters.options.convert
import dev.arraywright.admin.control.Control
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.spi.device.ByteSize

/** A count of bytes such as `64MiB`. */
internal fun RawOption.byteSize(): NullableOption<Long, Long> = convert("SIZE") {
    try {
        ByteSize.parse(it)
    } catch (e: IllegalArgumentException) {
        fail("${e.message}; write it like 512KiB or 64MiB")
    }
}

/** Waits until no resync and no rebuild runs on [array], and shows how far they are. */
internal suspend fun Command.follow(control: Control, array: String): ArrayStatus =
    Progress.on(terminal, silent = printsJson).use { progress -> control.awaitIdle(array, progress::show) }
