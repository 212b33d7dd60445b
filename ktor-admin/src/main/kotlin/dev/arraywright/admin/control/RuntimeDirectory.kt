package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import java.io.IOException
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.setPosixFilePermissions

/**
 * The directory, for its owner only (mode 0700), where processes that hold arrays have their control sockets:
 * `serve.sock` for the one that keeps a configuration running, `<what>-<pid>.sock` for others. A socket that nobody
 * answers any more is left by a process that was killed, and is removed by the next that looks.
 */
internal class RuntimeDirectory(val path: Path) {
    /** The sockets that somebody answers; that of `serve` first. */
    fun sockets(): List<Path> {
        if (!path.exists()) return emptyList()
        val (live, dead) = path.listDirectoryEntries("*$SUFFIX").partition(::alive)
        dead.forEach { it.deleteIfExists() }
        return live.sortedBy { it.name != SERVE }
    }

    /** The socket of the process that keeps a configuration running, or null if there is none. */
    fun serving(): Path? = path.resolve(SERVE).takeIf { it.exists() && alive(it) }

    /** A path to bind to, free of what a dead process left; [who] is `serve` or names the kind of process. */
    fun claim(who: String): Path {
        val socket = path.resolve(if (who == "serve") SERVE else "$who-${ProcessHandle.current().pid()}$SUFFIX")
        if (socket.toString().toByteArray().size > LONGEST) {
            throw KernelError.InvalidRequest(
                "cannot open the control socket $socket",
                "a Unix socket's path has at most $LONGEST bytes",
                "set ARRAYWRIGHT_RUNTIME_DIR to a shorter directory",
            )
        }
        try {
            path.createDirectories()
            path.setPosixFilePermissions(PosixFilePermissions.fromString("rwx------"))
            if (socket.exists() && alive(socket)) {
                throw KernelError.InUse(
                    "cannot open the control socket $socket",
                    "another arraywright process answers there already",
                    "use that one, end it, or set ARRAYWRIGHT_RUNTIME_DIR to another directory",
                )
            }
            socket.deleteIfExists()
        } catch (e: IOException) {
            throw KernelError.InvalidRequest(
                "cannot use the runtime directory $path",
                e.message ?: e.javaClass.simpleName,
                "set ARRAYWRIGHT_RUNTIME_DIR to a directory of your own",
                e,
            )
        }
        return socket
    }

    private fun alive(socket: Path): Boolean = try {
        SocketChannel.open(StandardProtocolFamily.UNIX).use { it.connect(UnixDomainSocketAddress.of(socket)) }
    } catch (_: IOException) {
        false
    }

    companion object {
        private const val SUFFIX = ".sock"
        private const val SERVE = "serve$SUFFIX"

        /** `sun_path` of unix(7) has 108 bytes, one of them the terminator. */
        private const val LONGEST = 107
    }
}

/** Where this user's files are, by [environment] variables as the XDG base directory specification has them. */
internal class Places(private val environment: (String) -> String?) {
    /** `ARRAYWRIGHT_RUNTIME_DIR`, else below `XDG_RUNTIME_DIR`, else `/run` for root, else below [data]. */
    val runtime: RuntimeDirectory
        get() {
            val run = Path.of("/run")
            val directory = directory("ARRAYWRIGHT_RUNTIME_DIR")
                ?: directory("XDG_RUNTIME_DIR")?.resolve(NAME)
                ?: run.resolve(NAME).takeIf { System.getProperty("user.name") == "root" && Files.isWritable(run) }
                ?: data.resolve("run")
            return RuntimeDirectory(directory)
        }

    /** Below `XDG_DATA_HOME`, else below `~/.local/share`. */
    val data: Path
        get() = (directory("XDG_DATA_HOME") ?: Path.of(System.getProperty("user.home"), ".local", "share"))
            .resolve(NAME)

    /** The directory of the built samples, by `ARRAYWRIGHT_SAMPLES`, which the launcher of a checkout sets. */
    val samples: Path? get() = directory("ARRAYWRIGHT_SAMPLES")

    private fun directory(variable: String): Path? =
        environment(variable)?.takeIf { it.isNotBlank() }?.let(Path::of)?.toAbsolutePath()?.normalize()

    private companion object {
        const val NAME = "arraywright"
    }
}
