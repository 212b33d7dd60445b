package dev.arraywright.admin.console

import dev.arraywright.spi.device.StorageAddress
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path

/**
 * Members as people write them: an address (`file:/srv/m0.img`) or a path, which becomes `block:` where a block special
 * file is there, or nothing in `/dev`, else `file:`.
 */
internal object MemberWord {
    private val address = Regex("[A-Za-z][A-Za-z0-9+.-]*:.*")

    /**
     * The address that [word] stands for; paths are taken from the working directory.
     *
     * @throws dev.arraywright.spi.device.AddressSyntaxException if it looks like an address and is none
     */
    fun address(word: String): String {
        if (address.matches(word)) return StorageAddress.parse(word).toString()
        val path = Path.of(word).toAbsolutePath().normalize()
        val address = if (isBlock(path)) StorageAddress.Block("$path") else StorageAddress.File("$path")
        return address.toString()
    }

    /** A place to look for members: an address, or the absolute path of a directory or a device. */
    fun place(word: String): String =
        if (address.matches(
                word,
            )
        )
            StorageAddress.parse(word).toString()
        else
            Path.of(word).toAbsolutePath().normalize().toString()

    /** Whether [word] can only mean a member: an address, a path with a slash, or a file that is there. */
    fun meansMember(word: String): Boolean = ':' in word || '/' in word || Files.exists(Path.of(word))

    /** What is not there may be a disk that is unplugged, where disks are. */
    private fun isBlock(path: Path): Boolean = try {
        Files.getAttribute(path, "unix:mode") as Int and FORMAT == BLOCK
    } catch (_: IOException) {
        path.startsWith("/dev") && !path.startsWith("/dev/shm")
    }

    /** `S_IFMT` and `S_IFBLK` of inode(7). */
    private const val FORMAT = 0xf000
    private const val BLOCK = 0x6000
}
