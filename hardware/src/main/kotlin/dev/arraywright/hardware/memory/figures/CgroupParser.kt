package dev.arraywright.hardware.memory.figures

/** The figures of cgroup v1 and v2; all functions throw [FiguresException] and nothing else. */
internal object CgroupParser {
    /** A limit in bytes; null for none: `max`, or what cgroup v1 says instead, which no machine has. */
    fun limit(text: String): Long? {
        val trimmed = text.trim()
        return if (trimmed == "max") null else count(trimmed, "a limit").takeIf { it < UNLIMITED }
    }

    /** One count of a file of names and counts, such as `memory.events` and `memory.stat`; null if it is not there. */
    fun figure(text: String, name: String): Long? {
        eachLine(text) { line ->
            if (line.length > name.length && line[name.length] == ' ' && line.startsWith(name)) {
                return count(line.substring(name.length + 1), name)
            }
        }
        return null
    }

    private const val UNLIMITED = 1L shl 62
}
