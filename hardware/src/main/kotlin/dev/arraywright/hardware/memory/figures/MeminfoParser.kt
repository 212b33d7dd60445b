package dev.arraywright.hardware.memory.figures

/**
 * Figures of `/proc/meminfo` in bytes.
 *
 * @property available what could be had without swapping (since Linux 3.14; before, what is free or clean cache)
 * @property balloon what the hypervisor holds by a balloon; null where the kernel does not tell here (before 6.16)
 */
internal data class Meminfo(val total: Long, val available: Long, val balloon: Long?)

/** Lines such as `MemTotal:       24684084 kB`; those that are of no use here are skipped. */
internal object MeminfoParser {
    /** Throws [FiguresException]. */
    fun parse(text: String): Meminfo {
        val found = HashMap<String, Long>()
        eachLine(text) { line ->
            val colon = line.indexOf(':')
            val name = if (colon < 0) "" else line.substring(0, colon)
            if (name in WANTED) found[name] = bytes(line.substring(colon + 1).trim(), name)
        }
        val total = found["MemTotal"] ?: throw FiguresException("meminfo has no MemTotal")
        val available = found["MemAvailable"]
            ?: found["MemFree"]?.let { it + (found["Buffers"] ?: 0) / 2 + (found["Cached"] ?: 0) / 2 }
            ?: throw FiguresException("meminfo has neither MemAvailable nor MemFree")
        return Meminfo(total, available, found["Balloon"])
    }

    private fun bytes(value: String, name: String): Long {
        val kib = count(value.removeSuffix("kB").trim(), name)
        if (kib > LARGEST_KIB) throw FiguresException("$name is too large: $kib kB")
        return kib * 1024
    }

    private const val LARGEST_KIB = Long.MAX_VALUE / 4096
    private val WANTED = setOf("MemTotal", "MemAvailable", "MemFree", "Buffers", "Cached", "Balloon")
}
