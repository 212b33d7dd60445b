package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.RowReport
import dev.arraywright.raid.cache.ReadCache
import kotlinx.coroutines.Job
import java.nio.ByteBuffer

/**
 * What passes between an array's clients and its members, as far as a cache is concerned; without one all of it just
 * passes.
 *
 * Cached are bytes of stripes in which redundancy agrees, as what is read of others may depend on which members are
 * there to read it from. A scrub that finds such a stripe not to agree after all has it forgotten, repaired or not. An
 * array that has failed serves nothing from the cache: what is read is what members have, and fails where they fail.
 * While it serves, bytes that are cached are read although a member may have lost them meanwhile.
 */
internal class CachedReads(cache: ReadCache?, private val supervisor: ArraySupervisor, life: Job) {
    private val geometry = supervisor.geometry
    private val part = cache?.attach()

    init {
        // However it ends. One that failed keeps its memory until then, or until others have a use for it.
        part?.let { life.invokeOnCompletion { _ -> it.close() } }
    }

    /** Fills [target], by [load] unless the bytes are at hand. */
    inline fun read(target: ByteBuffer, offset: Long, load: () -> Unit) {
        val length = target.remaining()
        if (part == null || !part.takes(length) || supervisor.view.state.failure != null) return load()
        if (part.serve(target, offset)) return
        if (!agrees(offset, length)) return load()
        val span = part.load(offset, length)
        var bytes: ByteBuffer? = null
        try {
            load()
            bytes = target
        } finally {
            part.loaded(span, bytes)
        }
    }

    /** Around whatever may change what members have of the range. */
    inline fun write(offset: Long, length: Long, action: () -> Unit) {
        if (part == null || length == 0L) return action()
        val span = part.write(offset, length)
        try {
            action()
        } finally {
            part.written(span)
        }
    }

    /** Around a scrub of a part of [stripe]. */
    inline fun scrub(stripe: Long, action: () -> RowReport): RowReport {
        var agrees = false
        try {
            return action().also { agrees = it.mismatches.isEmpty() }
        } finally {
            if (!agrees) part?.forget(stripe * geometry.stripeBytes(), geometry.stripeBytes().toLong())
        }
    }

    private fun agrees(offset: Long, length: Int): Boolean {
        val unit = geometry.stripeBytes()
        return (offset / unit..(offset + length - 1) / unit).all(supervisor::synced)
    }
}
