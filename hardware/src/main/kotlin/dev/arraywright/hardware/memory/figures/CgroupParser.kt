package dev.arraywright.hardware.memory.figures

/** The cgroup a process is in, in one hierarchy; no [controllers] and [hierarchy] 0 is cgroup v2. */
internal data class Membership(val hierarchy: Int, val controllers: Set<String>, val path: String)

/** A mounted cgroup hierarchy: the cgroup [root] of it is seen at [point]. */
internal data class CgroupMount(val version: Int, val root: String, val point: String, val options: Set<String>)

/** The texts of cgroup v1 and v2; all functions throw [FiguresException] and nothing else. */
internal object CgroupParser {
    /** `/proc/self/cgroup`: lines such as `4:memory:/a/b`, and `0::/a/b` for cgroup v2. */
    fun memberships(text: String): List<Membership> {
        val found = ArrayList<Membership>()
        eachLine(text) { line ->
            val first = line.indexOf(':')
            val second = line.indexOf(':', first + 1)
            if (first < 0 || second < 0) throw FiguresException("no membership in a cgroup: ${line.take(80)}")
            val hierarchy = count(line.substring(0, first), "the hierarchy").coerceAtMost(Int.MAX_VALUE.toLong())
            val controllers = line.substring(first + 1, second).split(',').filterTo(LinkedHashSet()) { it.isNotEmpty() }
            found += Membership(hierarchy.toInt(), controllers, line.substring(second + 1))
        }
        return found
    }

    /** The cgroup mounts among the lines of `/proc/self/mountinfo`, in their order. */
    fun mounts(text: String): List<CgroupMount> {
        val found = ArrayList<CgroupMount>()
        eachLine(text) { line ->
            val fields = line.split(' ')
            // 31 23 0:28 ROOT POINT OPTIONS [OPTIONAL...] - TYPE SOURCE SUPER_OPTIONS
            val dash = fields.indexOf("-")
            if (dash < 6 || fields.size <= dash + 3) throw FiguresException("no mount: ${line.take(80)}")
            val version = when (fields[dash + 1]) {
                "cgroup" -> 1
                "cgroup2" -> 2
                else -> 0
            }
            if (version > 0) {
                val options = fields[dash + 3].split(',').toSet()
                found += CgroupMount(version, unescape(fields[3]), unescape(fields[4]), options)
            }
        }
        return found
    }

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

    /** The kernel writes space, tab, newline and backslash as `\` and three octal digits. */
    private fun unescape(text: String): String =
        if ('\\' in text) ESCAPE.replace(text) { it.groupValues[1].toInt(8).toChar().toString() } else text

    private val ESCAPE = Regex("""\\([0-3][0-7]{2})""")
    private const val UNLIMITED = 1L shl 62
}
