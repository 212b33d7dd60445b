package dev.arraywright.raid.array.io

import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume

/**
 * Locks on byte columns of stripes: a range `[from, until)` that cuts through all chunks of a stripe at the same
 * offsets within them. Ranges that do not meet are independent, as are two shared holders. First come, first served:
 * nobody overtakes a waiter it conflicts with. Locks of a stripe exist only while somebody has or wants one.
 * Thread-safe; waiting is cancellable.
 */
internal class StripeLocks {
    private val shards = Array(SHARDS) { HashMap<Long, ArrayList<Claim>>() }

    suspend inline fun <T> withLock(stripe: Long, from: Int, until: Int, shared: Boolean, action: () -> T): T {
        val claim = acquire(stripe, from, until, shared)
        try {
            return action()
        } finally {
            release(claim)
        }
    }

    /** How many claims are held or waited for. */
    fun size(): Int = shards.sumOf { shard -> synchronized(shard) { shard.values.sumOf { it.size } } }

    suspend fun acquire(stripe: Long, from: Int, until: Int, shared: Boolean): Claim {
        val claim = Claim(stripe, from, until, shared)
        val shard = shard(stripe)
        synchronized(shard) {
            val queue = shard.getOrPut(stripe) { ArrayList(2) }
            claim.granted = queue.none(claim::conflicts)
            queue.add(claim)
        }
        if (claim.granted) return claim
        suspendCancellableCoroutine { continuation ->
            val now = synchronized(shard) {
                if (!claim.granted) claim.waiter = continuation
                claim.granted
            }
            if (now)
                continuation.resume(Unit) { _, _, _ -> release(claim) }
            else
                continuation.invokeOnCancellation { abandon(claim) }
        }
        return claim
    }

    fun release(claim: Claim) {
        val ready = ArrayList<CancellableContinuation<Unit>>(0)
        val shard = shard(claim.stripe)
        synchronized(shard) {
            val queue = shard.getValue(claim.stripe)
            queue.remove(claim)
            if (queue.isEmpty()) shard.remove(claim.stripe) else grant(queue, ready)
        }
        for (waiter in ready) waiter.resume(Unit)
    }

    private fun grant(queue: List<Claim>, ready: MutableList<CancellableContinuation<Unit>>) {
        for ((i, claim) in queue.withIndex()) {
            if (claim.granted || queue.subList(0, i).any(claim::conflicts)) continue
            claim.granted = true
            claim.waiter?.let(ready::add)
            claim.waiter = null
        }
    }

    /** A waiter was cancelled, perhaps after its turn had come: either way nobody will release it. */
    private fun abandon(claim: Claim) {
        val held = synchronized(shard(claim.stripe)) { claim in shard(claim.stripe)[claim.stripe].orEmpty() }
        if (held) release(claim)
    }

    private fun shard(stripe: Long) = shards[(stripe.hashCode() and Int.MAX_VALUE) % SHARDS]

    /** One holder or waiter; compared by identity. */
    internal class Claim(val stripe: Long, val from: Int, val until: Int, val shared: Boolean) {
        var granted = false
        var waiter: CancellableContinuation<Unit>? = null

        fun conflicts(other: Claim): Boolean = !(shared && other.shared) && from < other.until && other.from < until
    }

    private companion object {
        const val SHARDS = 64
    }
}
