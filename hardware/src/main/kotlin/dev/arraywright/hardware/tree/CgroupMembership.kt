package dev.arraywright.hardware.tree

/**
 * A line of `/proc/PID/cgroup`: the control group a process is in, in one [hierarchy].
 *
 * @property controllers of version 1; none of version 2, whose hierarchy is 0
 */
internal data class CgroupMembership(val hierarchy: Int, val controllers: List<String>, val path: String) {
    val isUnified: Boolean get() = hierarchy == 0 && controllers.isEmpty()
}

/** Cgroups(7)'s `/proc/PID/cgroup`, for all who need it. Lines of another form are left out, so nothing here throws. */
internal object CgroupMembershipParser {
    /** `4:memory,cpu:/a/b`, and `0::/a/b` of version 2, one a line; a path may have colons, too. */
    fun parse(text: String): List<CgroupMembership> = text.split('\n').mapNotNull(::membership)

    private fun membership(line: String): CgroupMembership? {
        val fields = line.split(':', limit = 3)
        val hierarchy = fields[0].takeIf { digits -> digits.all { it in '0'..'9' } }?.toIntOrNull()
        if (hierarchy == null || fields.size < 3 || !fields[2].startsWith('/')) return null
        return CgroupMembership(hierarchy, fields[1].split(',').filter { it.isNotEmpty() }, fields[2])
    }
}
