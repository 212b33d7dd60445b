package dev.arraywright.hardware.platform.facts

/** The kernel's command line: `name` or `name=value`, with double quotes around what has blanks. Any text is one. */
internal object CommandLineParser {
    fun parse(text: String): List<Pair<String, String?>> {
        val words = ArrayList<String>()
        val word = StringBuilder()
        var quoted = false
        for (c in text) {
            if (c == '"') {
                quoted = !quoted
            } else if (c.isWhitespace() && !quoted) {
                if (word.isNotEmpty()) words += word.toString()
                word.clear()
            } else {
                word.append(c)
            }
        }
        if (word.isNotEmpty()) words += word.toString()
        // What follows is for process 1.
        return words.takeWhile { it != "--" }.map { it.substringBefore('=') to it.substringAfter('=', NONE).orNull() }
    }

    private const val NONE = "\u0000"

    private fun String.orNull() = takeIf { it != NONE }
}

/**
 * One line of `/proc/PID/cgroup`.
 *
 * @property controllers of version 1; none of version 2, whose hierarchy is 0
 */
internal data class CgroupPath(val hierarchy: Int, val controllers: List<String>, val path: String) {
    val isUnified: Boolean get() = hierarchy == 0 && controllers.isEmpty()
}

/** `/proc/PID/cgroup`; lines of another form are left out. */
internal object CgroupParser {
    fun parse(text: String): List<CgroupPath> =
        text.lineSequence().mapNotNull { line ->
            val parts = line.split(':', limit = 3)
            val hierarchy = parts[0].toIntOrNull()
            if (parts.size < 3 || hierarchy == null || !parts[2].startsWith("/"))
                null
            else
                CgroupPath(hierarchy, parts[1].split(',').filter(String::isNotEmpty), parts[2])
        }.toList()
}

/** One line of `/proc/PID/mountinfo`: [root] of the file system of [type] from [source] is seen at [target]. */
internal data class Mount(val root: String, val target: String, val type: String, val source: String)

/** `/proc/PID/mountinfo`; lines of another form are left out. */
internal object MountParser {
    fun parse(text: String): List<Mount> =
        text.lineSequence().mapNotNull { line ->
            val words = line.split(' ')
            // Optional fields come between the options and a lone hyphen.
            val hyphen = if (words.size > FIXED) words.subList(FIXED, words.size).indexOf("-") + FIXED else -1
            if (hyphen < FIXED || words.size < hyphen + 3)
                null
            else
                Mount(plain(words[3]), plain(words[4]), words[hyphen + 1], plain(words[hyphen + 2]))
        }.toList()

    private const val FIXED = 6

    /** Undoes the kernel's `\040` for blanks and the like. */
    private fun plain(text: String): String {
        if ('\\' !in text) return text
        val result = StringBuilder()
        var i = 0
        while (i < text.length) {
            val code = if (text[i] == '\\') text.drop(i + 1).take(3).takeIf { it.length == 3 }?.toIntOrNull(8) else null
            if (code == null || code < 0) {
                result.append(text[i++])
            } else {
                result.append(code.toChar())
                i += 4
            }
        }
        return result.toString()
    }
}

/**
 * The header of every ACPI table (ACPI 6.5, 5.2.6), as far as it tells the maker:
 *
 * ```
 * 0 signature 4 bytes   4 length u32   8 revision u8   9 checksum u8   10 OEM id 6 bytes   16 OEM table id 8 bytes
 * ```
 */
internal object AcpiHeader {
    /** The two ids as one text, each padded as it is in the table; null if there is no header. */
    fun oem(table: ByteArray): String? =
        if (table.size < 24) null else String(table, 10, 14, Charsets.ISO_8859_1).filter { it in ' '..'~' }.trimEnd()
}

/** Texts that end with a NUL each, as in the device tree and in `/proc/PID/environ`. */
internal fun ByteArray.strings(): List<String> = decodeToString().split('\u0000').filter(String::isNotEmpty)
