package dev.arraywright.hardware.memory.figures

import dev.arraywright.hardware.tree.CgroupMembership
import dev.arraywright.hardware.tree.CgroupMembershipParser
import dev.arraywright.hardware.tree.Mount
import dev.arraywright.hardware.tree.MountInfoParser
import dev.arraywright.hardware.tree.SystemTree

/**
 * A cgroup that accounts for memory: [path] in the tree of `/sys`.
 *
 * @property version 1 or 2
 */
internal class MemoryCgroup(val version: Int, val path: String, private val sys: SystemTree) {
    private val currentFile = "$path/${if (version == 2) "memory.current" else "memory.usage_in_bytes"}"
    private val cacheName = if (version == 2) "inactive_file" else "total_inactive_file"

    /** The directory, for system calls. */
    val directory: String get() = "${sys.root}/$path"

    /** Bytes from which the kernel throttles, if there is such a limit. */
    fun high(): Long? = if (version == 2) limit("memory.high") else null

    /** Bytes from which the kernel kills, if there is such a limit. */
    fun max(): Long? = limit(if (version == 2) "memory.max" else "memory.limit_in_bytes")

    /** The lower of both. */
    fun tightest(): Long? = listOfNotNull(high(), max()).minOrNull()

    /** Bytes charged to it and to all below it; null if it has gone. */
    fun current(): Long? = guarded { sys.text(currentFile)?.let { count(it, currentFile) } }

    /** Bytes of it that are cached files nobody used lately: taken back without harm. */
    fun spare(): Long = guarded { sys.text("$path/memory.stat")?.let { CgroupParser.figure(it, cacheName) } } ?: 0

    /** Times that processes were killed in it, or would have been. */
    fun kills(): Long = guarded {
        sys.text("$path/memory.events")?.let { text ->
            (CgroupParser.figure(text, "oom") ?: 0) + (CgroupParser.figure(text, "oom_kill") ?: 0)
        }
    } ?: 0

    private fun limit(name: String): Long? = guarded { sys.text("$path/$name")?.let(CgroupParser::limit) }

    private inline fun <T> guarded(read: () -> T?): T? =
        try {
            read()
        } catch (_: FiguresException) {
            null
        }

    companion object {
        /** The process's own cgroup first, then those above it as far as they can be seen. */
        fun lineage(version: Int, proc: SystemTree, sys: SystemTree): Lineage {
            val self = full(proc, "self/cgroup") ?: return Lineage(emptyList(), proc.why("self/cgroup") ?: EMPTY)
            val mounts = full(proc, "self/mountinfo")
                ?: return Lineage(emptyList(), proc.why("self/mountinfo") ?: EMPTY)
            return find(version, CgroupMembershipParser.parse(self), MountInfoParser.parse(mounts), sys)
        }

        private fun full(proc: SystemTree, path: String) = proc.raw(path)?.takeIf { it.isNotBlank() }

        private fun find(version: Int, all: List<CgroupMembership>, mounts: List<Mount>, sys: SystemTree): Lineage {
            val own = all.find { if (version == 2) it.isUnified else "memory" in it.controllers }
                ?: return Lineage(emptyList(), "the process is in no cgroup v$version")
            val mount = mounts.find {
                if (version == 2) it.type == "cgroup2" else it.type == "cgroup" && "memory" in it.superOptions
            }
                ?: return Lineage(emptyList(), "cgroup v$version is not mounted")
            // Where the mount's root is not above, it is a container's view: what is seen at the top is its own.
            val below = if (own.path == mount.root || mount.root == "/" || own.path.startsWith(mount.root + "/")) {
                own.path.removePrefix(if (mount.root == "/") "" else mount.root)
            } else {
                ""
            }
            val top = mount.point.removePrefix("/sys/")
            val names = below.split('/').filter { it.isNotEmpty() }
            return when {
                top == mount.point -> Lineage(emptyList(), "cgroup v$version is mounted at $top, not below /sys")
                ".." in names -> Lineage(emptyList(), "the process's cgroup ${own.path} is outside of what it sees")
                !sys.exists(top) -> Lineage(emptyList(), sys.why(top))
                else -> Lineage(
                    (names.size downTo 0).map { depth ->
                        MemoryCgroup(version, (listOf(top) + names.take(depth)).joinToString("/"), sys)
                    },
                    null,
                )
            }
        }

        private const val EMPTY = "the kernel's list of cgroups is empty"
    }
}

/** Cgroups from the process's own to the top, or why there are none ([absence]). */
internal class Lineage(val cgroups: List<MemoryCgroup>, val absence: String?) {
    val own: MemoryCgroup? get() = cgroups.firstOrNull()

    /** Whether the process is in the topmost one, which is all of the machine. */
    val isRoot: Boolean get() = cgroups.size == 1
}
