package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.linux.LinuxCalls
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.tree.SystemTree

/**
 * The NUMA node a device hangs on.
 *
 * @property node -1 if it is not known, or there is no single one
 * @property why how it was found, or why it was not
 */
public data class DeviceNumaNode(val node: Int, val why: String)

/**
 * The NUMA node of the disk behind [path]: a device, or any file, which counts as its file system's device. Through
 * partitions, loop devices, device-mapper, md and NVMe multipath down to the hardware. Blocks for a few file reads.
 */
public fun deviceNumaNode(path: String): DeviceNumaNode =
    LinuxCalls.absence?.let { DeviceNumaNode(-1, it) } ?: DeviceNodes(SystemTree.SYS, SystemTree.PROC).ofPath(path)

/**
 * Finds nodes of devices. Whatever the tree looks like, say because it changes meanwhile, the search ends.
 *
 * @param status of a path, null if it cannot be had
 */
internal class DeviceNodes(
    private val sys: SystemTree = SystemTree.SYS,
    proc: SystemTree = SystemTree.PROC,
    private val status: (String) -> FileStatus? = ::statusOf,
) {
    private val files = FileDevices(sys, proc, status)

    fun ofPath(path: String): DeviceNumaNode {
        val found = status(path) ?: return unknown("there is no $path to be reached")
        return when {
            found.isBlockSpecial -> ofNumber("${found.represents}")
            found.isCharacterSpecial -> ofNumber("${found.represents}", "char")
            else -> ofFile(path)
        }
    }

    /** Of the device with this `major:minor`. */
    fun ofNumber(number: String, kind: String = "block"): DeviceNumaNode =
        sys.real("dev/$kind/$number")?.let { Search().of(it) } ?: unknown("sysfs has no $kind device $number")

    /** Of the device that holds the file. */
    fun ofFile(path: String): DeviceNumaNode = Search().ofFile(path)

    /** Remembers what it found, so that no device is looked at twice, not even one that is part of itself. */
    private inner class Search {
        private val known = HashMap<String, DeviceNumaNode>()

        fun of(directory: String): DeviceNumaNode = once(directory) { find(directory) }

        fun ofFile(path: String): DeviceNumaNode =
            once("file:$path") {
                when (val below = files.below(path)) {
                    is FileDevices.Below.Nothing -> unknown(below.why)
                    is FileDevices.Below.File -> ofFile(below.path)
                    is FileDevices.Below.Devices -> together(path, below.directories, ::of)
                }
            }

        private inline fun once(key: String, find: () -> DeviceNumaNode): DeviceNumaNode {
            known[key]?.let { return it }
            if (known.size >= MOST) return unknown("there are more than $MOST devices below it")
            known[key] = unknown("${name(key)} is part of itself")
            return find().also { known[key] = it }
        }

        private fun find(directory: String): DeviceNumaNode {
            if (sys.exists("$directory/partition")) return of(directory.substringBeforeLast('/'))
            val name = name(directory)
            val slaves = sys.names("$directory/slaves")
            val backing = sys.text("$directory/loop/backing_file")
            return when {
                slaves.isNotEmpty() -> together(name, slaves) { slave(directory, it)?.let(::of) }
                backing != null -> ofFile(backing)
                "/nvme-subsystem/" in directory -> multipath(directory)
                else -> climb(directory)
            }
        }

        /** All on one node, or none. */
        private fun together(name: String, parts: List<String>, find: (String) -> DeviceNumaNode?): DeviceNumaNode {
            val found = parts.map { it to (find(it) ?: unknown("${name(it)} is not in sysfs")) }
            found.singleOrNull()?.let { return it.second }
            val lost = found.firstOrNull { it.second.node < 0 }
            if (lost != null) return unknown("${name(lost.first)} under $name: ${lost.second.why}")
            val nodes = found.map { it.second.node }.distinct()
            if (nodes.size == 1) return DeviceNumaNode(nodes[0], "all of ${parts.joinToString { name(it) }}")
            return unknown(found.joinToString { "${name(it.first)} is on node ${it.second.node}" })
        }

        private fun slave(directory: String, name: String): String? =
            sys.real("$directory/slaves/$name") ?: sys.real("class/block/$name")

        /**
         * A namespace that several controllers lead to is below none of them. Each has a hidden block device for its
         * path to it: `nvme0n1` is reached by `nvme0c1n1` through the controller of number 1.
         */
        private fun multipath(directory: String): DeviceNumaNode {
            val name = name(directory)
            val (subsystem, namespace) = head.matchEntire(name)?.destructured ?: return climb(directory)
            val above = directory.substringBeforeLast('/')
            val controllers = sys.names(above).filter { controller.matches(it) }.mapNotNull { sys.real("$above/$it") }
            val paths = controllers.filter { path ->
                sys.names(path).any { hidden.matchEntire(it)?.destructured?.toList() == listOf(subsystem, namespace) }
            }
            if (paths.isEmpty()) return unknown("no controller leads to $name")
            return together(name, paths, ::climb)
        }

        /** From a disk up through its controller and the bridges above it. */
        private fun climb(directory: String): DeviceNumaNode {
            if (directory.startsWith("devices/virtual/")) return unknown("${name(directory)} has no hardware below it")
            val ways = generateSequence(directory) { it.substringBeforeLast('/', "").ifEmpty { null } }.take(MOST)
            for (way in sequenceOf("$directory/device") + ways) {
                val node = sys.int("$way/numa_node")?.takeIf { it >= 0 } ?: continue
                return DeviceNumaNode(node, if (way == "$directory/device") directory else way)
            }
            return unknown("nothing above ${name(directory)} tells its node")
        }
    }

    private companion object {
        /** Devices looked at for one answer; real stacks have some ten. */
        const val MOST = 256

        val head = Regex("nvme(\\d+)n(\\d+)")
        val hidden = Regex("nvme(\\d+)c\\d+n(\\d+)")
        val controller = Regex("nvme\\d+")

        fun name(path: String) = path.substringAfterLast('/')

        fun unknown(why: String) = DeviceNumaNode(-1, why)

        fun statusOf(path: String): FileStatus? =
            try {
                FileStatus.of(path)
            } catch (_: PosixException) {
                null
            }
    }
}
