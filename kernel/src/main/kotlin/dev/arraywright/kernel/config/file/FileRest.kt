package dev.arraywright.kernel.config.file

import dev.arraywright.kernel.file.DirectoryEvents
import dev.arraywright.kernel.file.identityOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How a file is followed.
 *
 * @property rest for so long it has to stay the same, as editors write in several steps
 * @property patience after which it is looked at although it never rests
 * @property safetyNet a look at least so often, for what nobody tells of: network file systems, targets of links
 */
internal data class FollowPace(
    val rest: Duration = 500.milliseconds,
    val patience: Duration = 10.seconds,
    val safetyNet: Duration = 10.seconds,
)

/** Waits for a file to change and then to rest. */
internal class FileRest(
    private val file: DiskFile,
    private val events: DirectoryEvents,
    private val pace: FollowPace,
) : AutoCloseable {
    private val wake = Channel<Unit>(Channel.CONFLATED)
    private var known: Any? = null

    init {
        events.start { wake.trySend(Unit) }
    }

    /** Returns when the file is otherwise than at the last return, which the first time it is. */
    suspend fun await() {
        while (true) {
            val now = look()
            if (now != null && now != known) break
            withTimeoutOrNull(pace.safetyNet) { wake.receive() }
        }
        withTimeoutOrNull(pace.patience) {
            do {
                val before = look()
                delay(pace.rest)
            } while (look() != before)
        }
        known = look()
    }

    override fun close() {
        events.close()
    }

    private suspend fun look(): Any? = withContext(Dispatchers.IO) {
        // Followed before it is looked at: what happens after the look is told then.
        events.follow(identityOf(file.directory))
        file.stamp()
    }
}
