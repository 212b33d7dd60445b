package dev.arraywright.kernel.file

import java.io.IOException
import java.nio.file.ClosedWatchServiceException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardWatchEventKinds.ENTRY_CREATE
import java.nio.file.StandardWatchEventKinds.ENTRY_DELETE
import java.nio.file.StandardWatchEventKinds.ENTRY_MODIFY
import java.nio.file.WatchKey
import java.nio.file.WatchService
import java.nio.file.attribute.BasicFileAttributes

/** Tells that something may have happened in a directory; not what, as that has to be looked for anyway. */
internal interface DirectoryEvents : AutoCloseable {
    /** Calls [wake] from now on, from whatever thread, after each that happens. Once only. */
    fun start(wake: () -> Unit)

    /** Watches the directory that is there now, whose identity is [identity]; null if there is none. */
    fun follow(identity: Any?)
}

/**
 * [DirectoryEvents] of the JDK, on a thread of its own. Events that were lost do not matter, as all of them mean the
 * same. Where the platform cannot watch a directory, nothing is told of it.
 */
internal class WatchServiceEvents(private val directory: Path) : DirectoryEvents {
    private val service: WatchService? = try {
        directory.fileSystem.newWatchService()
    } catch (_: IOException) {
        // The system's bound on watches is reached; the looks at an interval remain.
        null
    } catch (_: UnsupportedOperationException) {
        null
    }
    private var key: WatchKey? = null
    private var followed: Any? = null

    override fun start(wake: () -> Unit) {
        val watched = service ?: return
        Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("watch $directory").start {
            try {
                while (true) {
                    val told = watched.take()
                    told.pollEvents()
                    told.reset()
                    wake()
                }
            } catch (_: ClosedWatchServiceException) {
                // The end.
            }
        }
    }

    override fun follow(identity: Any?) {
        if (identity != null && identity == followed && key?.isValid == true) return
        key?.cancel()
        followed = identity
        key = try {
            service?.takeIf { identity != null }?.let {
                directory.register(it, ENTRY_CREATE, ENTRY_DELETE, ENTRY_MODIFY)
            }
        } catch (_: IOException) {
            null
        } catch (_: ClosedWatchServiceException) {
            null
        }
    }

    override fun close() {
        service?.close()
    }
}

/** Which directory it is, as another one may come to its place; null if there is none, or that is not told. */
internal fun identityOf(directory: Path): Any? = try {
    // A new directory may get the number of the one before it.
    Files.readAttributes(directory, BasicFileAttributes::class.java).run { fileKey()?.let { it to creationTime() } }
} catch (_: IOException) {
    null
}
