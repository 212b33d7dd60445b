package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.EventStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.nio.file.Path
import kotlin.io.path.name

/** Finds the one driver in a jar that somebody means. */
internal class JarChoice(private val scanner: DriverScanner, private val events: EventStream) {
    /** @throws KernelError unless there is one that fits, and told by an event */
    suspend fun candidate(jar: Path, type: String?, name: String? = null): DriverCandidate {
        val all = candidates(jar, name)
        val fitting = all.filter {
            (type == null || it.info.entryType == type) && (name == null || it.info.name == name)
        }
        return fitting.singleOrNull() ?: throw told(jar, choice(jar, wanted(type, name), all), name)
    }

    /** All of a jar. */
    suspend fun candidates(jar: Path, name: String? = null): List<DriverCandidate> {
        val result = withContext(Dispatchers.IO) { scanner.scan(jar) }
        result.rejected.firstOrNull()?.let { throw told(jar, rejection(jar, it.why), name) }
        return result.candidates
    }

    fun rejection(jar: Path, why: String) =
        KernelError.DriverUnusable("cannot load a driver of ${jar.name}", "it $why", "get a sound jar from its author")

    private fun wanted(type: String?, name: String?) =
        if (type != null && name != null) "$name ($type)" else type ?: name

    private fun told(jar: Path, error: KernelError, name: String?): KernelError =
        error.also { events.emit(DriverLoadFailed(jar.toString(), it.why, name)) }

    private fun choice(jar: Path, wanted: String?, all: List<DriverCandidate>): KernelError {
        val what = "cannot load a driver of ${jar.name}"
        val has = all.joinToString { "${it.info.name} (${it.info.entryType})" }
        return when {
            all.isEmpty() -> KernelError.NotFound(what, "it announces none", "name a jar with a @StorageDriver in it")
            wanted == null -> KernelError.InvalidRequest(what, "it has several: $has", "say which one, by its class")
            else -> KernelError.NotFound(what, "it has no $wanted; it has $has", "name one of these")
        }
    }
}
