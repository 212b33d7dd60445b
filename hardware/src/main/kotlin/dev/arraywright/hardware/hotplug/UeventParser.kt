package dev.arraywright.hardware.hotplug

import java.io.IOException

/** What the kernel says of one device: [action] is `add`, `remove`, `change`, `move`, `bind` or the like. */
internal data class Uevent(
    val action: String,
    /** Below `/sys`, with a slash in front. */
    val path: String,
    val subsystem: String,
    /** All of its variables, those above among them. */
    val variables: Map<String, String>,
)

/** A message that is no uevent of the kernel. */
internal class UeventException(message: String) : IOException(message)

/**
 * The kernel's uevents: texts, each with a zero byte after it.
 *
 * ```
 * add@/devices/virtual/block/loop0 ACTION=add DEVPATH=/devices/virtual/block/loop0 SUBSYSTEM=block MAJOR=7 …
 * ```
 *
 * What udev sends begins with `libudev` and is refused, as it is no news and says what udev's rules made of it.
 */
internal object UeventParser {
    /** The most that the kernel puts into one, with room to spare. */
    const val LIMIT: Int = 8192

    /** Throws [UeventException] for anything that is not a whole uevent. */
    fun parse(message: ByteArray): Uevent {
        if (message.isEmpty()) throw UeventException("empty")
        if (message.size > LIMIT) throw UeventException("${message.size} bytes are too many")
        if (message.last() != 0.toByte()) throw UeventException("its end is missing")
        val texts = message.decodeToString(0, message.size - 1).split('\u0000')
        if (texts[0] == "libudev") throw UeventException("udev sent it, not the kernel")
        val variables = HashMap<String, String>(texts.size * 2)
        for (text in texts.drop(1)) {
            val equals = text.indexOf('=')
            if (equals < 1) throw UeventException("a variable without a name")
            variables[text.substring(0, equals)] = text.substring(equals + 1)
        }
        val action = variables["ACTION"].orEmpty()
        val path = variables["DEVPATH"].orEmpty()
        if (action.isEmpty() || texts[0] != "$action@$path") throw UeventException("heading and variables differ")
        return Uevent(action, checked(path), variables["SUBSYSTEM"] ?: throw UeventException("no subsystem"), variables)
    }

    /** Paths are read below `/sys`, so they must not lead out of it. */
    private fun checked(path: String): String {
        val sound = path.startsWith("/") && path.length > 1 && path.drop(1).split('/').none { it in UNSOUND }
        if (!sound) throw UeventException("no path of a device")
        return path
    }

    private val UNSOUND = setOf("", ".", "..")
}
