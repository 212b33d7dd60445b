package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration

/** The one way, of several, to write the address [text]; itself if it is none. */
internal fun plainAddress(text: String): String = try {
    "${Configuration.address(text)}"
} catch (_: KernelError.InvalidRequest) {
    text
}

/** Those that do not name the same device as [address]. */
internal fun List<String>.without(address: String): List<String> {
    val gone = plainAddress(address)
    return filter { plainAddress(it) != gone }
}
