package dev.arraywright.hardware.tree

import dev.arraywright.hardware.device.scratchDirectory
import java.nio.file.Files
import java.nio.file.Path
import java.util.Base64
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readLines

/**
 * A captured `/sys`, `/proc` and so on, from all of the `.tree` files of `resources/trees/NAME`, one entry a line:
 *
 * ```
 * # a comment
 * sys/block/sda -> ../devices/pci0000:00/…/block/sda      a symbolic link
 * sys/devices/…/size = 1953525168\n                       a file; \n, \t and \\ are escapes
 * sys/devices/…/config = base64:hoAAEA==                  a file of bytes
 * sys/devices/…/power/                                    an empty directory
 * ```
 */
internal object TreeFixture {
    /** The tree as files in a directory of its own. */
    fun of(name: String): Path {
        val directory = checkNotNull(javaClass.getResource("/trees/$name")) { "no fixture $name" }
        val files = Path.of(directory.toURI()).listDirectoryEntries("*.tree").sorted()
        return write(files.flatMap { it.readLines() })
    }

    fun write(entries: List<String>, root: Path = scratchDirectory()): Path {
        for (entry in entries) if (entry.isNotBlank() && !entry.startsWith("#")) make(root, entry)
        return root
    }

    private fun make(root: Path, entry: String) {
        val (path, kind, value) = checkNotNull(FORM.matchEntire(entry)) { "not an entry: $entry" }.destructured
        val file = root.resolve(path.trim())
        Files.createDirectories(if (kind == "/") file else file.parent)
        when (kind.trim()) {
            "->" -> Files.createSymbolicLink(file, Path.of(value))
            "=" -> Files.write(file, content(value))
        }
    }

    private fun content(value: String): ByteArray =
        if (value.startsWith("base64:")) {
            Base64.getDecoder().decode(value.removePrefix("base64:"))
        } else {
            ESCAPE.replace(value) {
                if (it.value == "\\n")
                    "\n"
                else if (it.value == "\\t")
                    "\t"
                else
                    "\\"
            }.toByteArray()
        }

    private val FORM = Regex("""(\S+?)(/$| -> | = ?)(.*)""")
    private val ESCAPE = Regex("""\\[nt\\]""")
}
