package dev.arraywright.raid.array.intent

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitAll

/**
 * Blocks that somebody else is writing right now. They are as old as they are: on a member they may come to lie over a
 * newer block. So whoever promises what is in a newer block first waits for the older ones. Thread-safe.
 */
internal class Loans {
    private val open = LinkedHashSet<CompletableDeferred<Unit>>()

    /** Makes blocks and has them written. The loan begins before the blocks are made: none is missed. */
    inline fun <B, T> lend(make: () -> B, write: (B) -> T): T {
        val loan = begin()
        try {
            return write(make())
        } finally {
            end(loan)
        }
    }

    /** Waits for the end of the loans that there are now; later ones are of newer blocks. */
    suspend fun awaitOlder() {
        val older = synchronized(open) { if (open.isEmpty()) return else open.toList() }
        older.awaitAll()
    }

    fun begin(): CompletableDeferred<Unit> = CompletableDeferred<Unit>().also { synchronized(open) { open.add(it) } }

    fun end(loan: CompletableDeferred<Unit>) {
        synchronized(open) { open.remove(loan) }
        loan.complete(Unit)
    }
}
