package dev.arraywright.hardware.tree

import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.file.Files
import java.nio.file.InvalidPathException
import java.nio.file.Path
import java.nio.file.attribute.BasicFileAttributes

/**
 * What a kernel shows as a directory of small texts, such as `/sys` and `/proc`, or a captured one. Paths are relative
 * to [root]. Such a tree changes while it is read, so what cannot be read is absent and nothing here throws; [why] says
 * why something is absent. Thread-safe; blocks for as long as the kernel takes to answer.
 */
internal class SystemTree(val root: Path) {
    private val prefix = "$root/"

    /** A file's text without surrounding white space; null if there is none to read, or it is empty. */
    fun text(path: String): String? = raw(path)?.trim { it <= ' ' }?.ifEmpty { null }

    /** A file's text as it is; null if it cannot be read. */
    fun raw(path: String): String? = bytes(path)?.decodeToString()

    /** A file's decimal number. */
    fun long(path: String): Long? = text(path)?.toLongOrNull()

    /** A file's decimal number, if it is a small one. */
    fun int(path: String): Int? = text(path)?.toIntOrNull()

    /**
     * As [text], of a file of sysfs: it is a page at most and given at once, so one read is enough. In a captured tree
     * files are such as well.
     */
    fun attribute(path: String): String? {
        val page = pages.get()
        var end = first(path, page)
        if (end == page.size) return text(path)
        var start = 0
        while (start < end && page[start] in BLANKS) start++
        while (end > start && page[end - 1] in BLANKS) end--
        return if (end <= start) null else String(page, start, end - start, Charsets.UTF_8)
    }

    /** As [bytes], of a file of sysfs. */
    fun attributeBytes(path: String): ByteArray? {
        val page = pages.get()
        val length = first(path, page)
        return if (length == page.size)
            bytes(path)
        else if (length < 0)
            null
        else
            page.copyOf(length)
    }

    /** How much of [page] the first read fills; -1 if there is none. */
    private fun first(path: String, page: ByteArray): Int =
        try {
            FileInputStream(prefix + path).use { maxOf(it.read(page, 0, page.size), 0) }
        } catch (_: IOException) {
            -1
        }

    /** A file's lines; none if it cannot be read. */
    fun lines(path: String): List<String> = raw(path)?.lines().orEmpty()

    /** A file's content, at most [LIMIT] bytes of it. */
    fun bytes(path: String): ByteArray? =
        try {
            FileInputStream(prefix + path).use(::content)
        } catch (_: IOException) {
            null
        }

    /** Most files are smaller than a page, for which this takes the fewest calls; the end is where a read says so. */
    private fun content(file: FileInputStream): ByteArray {
        var all = ByteArray(PAGE)
        var length = 0
        while (true) {
            val count = file.read(all, length, all.size - length)
            if (count <= 0) return all.copyOf(length)
            length += count
            if (length == LIMIT) return all
            if (length == all.size) all = all.copyOf(minOf(all.size * 4, LIMIT))
        }
    }

    /** The names in a directory, sorted; none if it cannot be read. */
    fun names(path: String): List<String> = File(prefix + path).list()?.apply { sort() }?.asList().orEmpty()

    /** Whether there is something, a link's target where it is a link. */
    fun exists(path: String): Boolean = File(prefix + path).exists()

    /** The last name of a symbolic link's target, as sysfs names a driver or a subsystem. */
    fun linkName(path: String): String? =
        try {
            Files.readSymbolicLink(Path.of(prefix + path)).fileName?.toString()
        } catch (_: IOException) {
            null
        } catch (_: UnsupportedOperationException) {
            null
        } catch (_: InvalidPathException) {
            null
        }

    /**
     * Where a symbolic link leads, relative to [root], in one step and by name alone: right where the directories on
     * the way are no links, as in sysfs. Null if it is no link or leads outside.
     */
    fun target(path: String): String? =
        try {
            val link = Files.readSymbolicLink(Path.of(prefix + path)).toString()
            if (link.startsWith('/')) null else lexical(path.substringBeforeLast('/', ""), link)
        } catch (_: IOException) {
            null
        } catch (_: UnsupportedOperationException) {
            null
        } catch (_: InvalidPathException) {
            null
        }

    /** A number that tells the file from another that takes its place; 0 where there is none. */
    fun inode(path: String): Long =
        try {
            Files.readAttributes(Path.of(prefix + path), BasicFileAttributes::class.java).fileKey().hashCode().toLong()
        } catch (_: IOException) {
            0
        } catch (_: InvalidPathException) {
            0
        }

    /** The path that is left when all symbolic links are followed, relative to [root]; null if that leads outside. */
    fun real(path: String): String? =
        try {
            val real = Path.of(prefix + path).toRealPath()
            val top = root.toRealPath()
            if (real.startsWith(top)) top.relativize(real).toString() else null
        } catch (_: IOException) {
            null
        } catch (_: InvalidPathException) {
            null
        }

    /** Why [path] cannot be read, for people; null if it can. */
    fun why(path: String): String? {
        val file = File(prefix + path)
        if (!file.exists()) return "there is no $file"
        return try {
            if (file.isDirectory)
                file.list() ?: throw IOException("not readable")
            else
                FileInputStream(file).use {
                    it.read()
                }
            null
        } catch (e: IOException) {
            "$file: ${e.message?.substringAfterLast('(')?.removeSuffix(")")}"
        }
    }

    private fun lexical(from: String, link: String): String? {
        val parts = ArrayList(from.split('/').filter { it.isNotEmpty() })
        for (part in link.split('/')) {
            when (part) {
                "", "." -> {}
                ".." -> if (parts.isEmpty()) return null else parts.removeLast()
                else -> parts += part
            }
        }
        return parts.joinToString("/")
    }

    companion object {
        /** Bytes read of one file: more than any file of these trees has that is of use here. */
        const val LIMIT: Int = 1 shl 20
        private const val PAGE = 4096
        private val BLANKS = 0.toByte()..' '.code.toByte()

        /** What attributes are read into: they are many, and small. */
        private val pages = ThreadLocal.withInitial { ByteArray(PAGE) }

        /** The running kernel's devices. */
        val SYS: SystemTree = SystemTree(Path.of("/sys"))

        /** The running kernel's processes and figures. */
        val PROC: SystemTree = SystemTree(Path.of("/proc"))
    }
}
