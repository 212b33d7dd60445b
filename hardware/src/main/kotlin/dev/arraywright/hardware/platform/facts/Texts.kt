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
