package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.tree.Mount
import dev.arraywright.hardware.tree.MountInfoParser
import dev.arraywright.hardware.tree.SystemTree
import java.io.IOException
import java.nio.file.InvalidPathException
import java.nio.file.Path

/** Finds the block devices that hold a file: by its file system's number, and by mountinfo where that is made up. */
internal class FileDevices(
    private val sys: SystemTree,
    private val proc: SystemTree,
    private val status: (String) -> FileStatus?,
) {
    sealed interface Below {
        /** Directories in sysfs. */
        data class Devices(val directories: List<String>) : Below

        /** The file is another one in truth. */
        data class File(val path: String) : Below

        data class Nothing(val why: String) : Below
    }

    fun below(path: String): Below {
        val found = status(path) ?: return Below.Nothing("there is no $path to be reached")
        // A loop device's backing file may be a device itself; the file system of that is devtmpfs.
        val device = if (found.isBlockSpecial) found.represents else found.device
        sys.real("dev/block/$device")?.let { return Below.Devices(listOf(it)) }
        // Major 0: the number is made up, for a file system on no device, on several, or on another file system.
        val mounts = MountInfoParser.own(proc)
        val mount = mounts.lastOrNull { it.number == "$device" } ?: real(path).let { file ->
            mounts.filter { it.holds(file) }.maxByOrNull { it.point.length }
        }
        return if (mount == null) Below.Nothing("no mount holds $path") else below(mount)
    }

    private fun real(path: String): String =
        try {
            Path.of(path).toRealPath().toString()
        } catch (_: IOException) {
            path
        } catch (_: InvalidPathException) {
            path
        }

    private fun below(mount: Mount): Below {
        val upper = mount.superOption("upperdir") ?: mount.superOption("lowerdir")?.substringBefore(':')
        if (mount.type == "overlay" && upper != null) return Below.File(upper)
        val device = mount.source.takeIf { it.startsWith("/dev/") }?.let(::blockDevice)
            ?: return Below.Nothing("${mount.point} is ${mount.type} from ${mount.source}, which is no device here")
        return Below.Devices(if (mount.type == "btrfs") wholeOf(device) else listOf(device))
    }

    private fun blockDevice(path: String): String? =
        status(path)?.takeIf { it.isBlockSpecial }?.let { sys.real("dev/block/${it.represents}") }
            ?: sys.real("class/block/${path.substringAfterLast('/')}")

    /** A btrfs spans devices, of which a mount names one. */
    private fun wholeOf(device: String): List<String> {
        val name = device.substringAfterLast('/')
        val members = sys.names("fs/btrfs").map { "fs/btrfs/$it/devices" }.firstOrNull { sys.exists("$it/$name") }
            ?: return listOf(device)
        return sys.names(members).mapNotNull { sys.real("$members/$it") }
    }
}
