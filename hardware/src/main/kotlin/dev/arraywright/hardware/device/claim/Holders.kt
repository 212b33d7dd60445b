package dev.arraywright.hardware.device.claim

import dev.arraywright.hardware.linux.DeviceNumber
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.tree.MountInfoParser
import dev.arraywright.hardware.tree.SwapsParser
import dev.arraywright.hardware.tree.SystemTree
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.isDirectory
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readLines
import kotlin.io.path.readText

/**
 * Finds out, for an error message, who holds a file or a block device: proc(5) and sysfs as the kernel shows them. What
 * cannot be read is left out of the answer.
 */
internal class Holders(private val sys: Path = Path.of("/sys"), private val proc: Path = Path.of("/proc")) {
    /** The process with a lock on the file, such as `process 123 (qemu-nbd)`. */
    fun ofLock(file: ClaimKey.File): String? {
        val wanted = "%02x:%02x:%d".format(file.device.major, file.device.minor, file.inode)
        // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:131 0 EOF"
        return lines(proc.resolve("locks"))
            .map { it.substringAfter(": ").trim().split(Regex(" +")) }
            .firstOrNull { it.size > 4 && it[4] == wanted && it[0] != "->" }
            ?.get(3)
            ?.let(::process)
    }

    /** Why a block device is busy: where it is mounted, what is stacked on it, swap, or a process that has it open. */
    fun ofBlock(number: DeviceNumber): String? {
        val whole = sys.resolve("dev/block/$number")
        val partitions = list(whole).filter { Files.exists(it.resolve("partition")) }
        val parts = listOf(number to whole) + partitions.mapNotNull { part -> numberOf(part)?.let { it to part } }
        return parts.firstNotNullOfOrNull { (part, directory) -> mounted(part) ?: stacked(directory) ?: swap(part) }
            ?: opener(number)
    }

    /** The loop device that has the file as its backing file and may write to it, with its number. */
    fun loopOver(file: ClaimKey.File): Pair<String, DeviceNumber>? =
        list(sys.resolve("block")).filter { it.name.startsWith("loop") }.firstNotNullOfOrNull { loop ->
            val number = numberOf(loop)
            val writable = text(loop.resolve("ro")) != "1"
            if (number != null && writable && backing(loop) == file) "/dev/${loop.name}" to number else null
        }

    /** The file behind the loop device [number], or null if it is none or its file cannot be reached. */
    fun behindLoop(number: DeviceNumber): ClaimKey.File? = backing(sys.resolve("dev/block/$number"))

    private fun backing(loop: Path): ClaimKey.File? {
        val path = text(loop.resolve("loop/backing_file")) ?: return null
        return try {
            FileStatus.of(path).let { ClaimKey.File(it.device, it.inode) }
        } catch (_: PosixException) {
            null // deleted, or in another mount namespace
        }
    }

    /** By number, or by source where the file system has numbers of its own, as btrfs does. */
    private fun mounted(number: DeviceNumber): String? =
        MountInfoParser.own(SystemTree(proc))
            .firstOrNull {
                it.number == "$number" || (it.source.startsWith("/dev/") && represents(it.source) == number)
            }
            ?.let { "mounted at ${it.point}" }

    private fun stacked(directory: Path): String? =
        list(directory.resolve("holders")).joinToString { "/dev/${it.name}" }.ifEmpty { null }?.let { "part of $it" }

    private fun swap(number: DeviceNumber): String? =
        SwapsParser.parse(SystemTree(proc).raw("swaps").orEmpty())
            .firstOrNull { path -> represents(path) == number }
            ?.let { "in use as swap" }

    private fun opener(number: DeviceNumber): String? =
        list(proc).filter { it.name.all(Char::isDigit) }.firstOrNull { process ->
            list(process.resolve("fd")).any { fd -> opens(fd, number) }
        }?.let { process(it.name) }

    private fun opens(fd: Path, number: DeviceNumber): Boolean {
        val target = try {
            Files.readSymbolicLink(fd).toString()
        } catch (_: IOException) {
            return false // closed meanwhile
        }
        return target.startsWith("/dev/") && represents(target) == number
    }

    private fun represents(path: String): DeviceNumber? =
        try {
            FileStatus.of(path).takeIf { it.isBlockSpecial }?.represents
        } catch (_: PosixException) {
            null
        }

    private fun process(pid: String): String = "process $pid" + (
        text(proc.resolve("$pid/comm"))?.let {
            " ($it)"
        } ?: ""
    )

    private fun numberOf(directory: Path): DeviceNumber? =
        text(directory.resolve("dev"))?.split(':')?.let { (major, minor) -> DeviceNumber(major.toInt(), minor.toInt()) }

    private fun list(directory: Path): List<Path> =
        try {
            if (directory.isDirectory()) directory.listDirectoryEntries().sorted() else emptyList()
        } catch (_: IOException) {
            emptyList()
        }

    private fun lines(file: Path): List<String> =
        try {
            file.readLines()
        } catch (_: IOException) {
            emptyList()
        }

    private fun text(file: Path): String? =
        try {
            file.readText().trim()
        } catch (_: IOException) {
            null
        }
}
