package dev.arraywright.samples.http

import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.sync.withPermit

/**
 * Reads share, so many at once; a write is alone, as it changes the tag that every request carries. Fair: a write waits
 * for the reads before it, and not for those that come later.
 */
internal class Turns(private val atOnce: Int) {
    private val permits = Semaphore(atOnce)
    private val writing = Mutex()

    suspend fun <T> shared(block: suspend () -> T): T = permits.withPermit { block() }

    suspend fun <T> alone(block: suspend () -> T): T = writing.withLock {
        var taken = 0
        try {
            repeat(atOnce) {
                permits.acquire()
                taken++
            }
            block()
        } finally {
            repeat(taken) { permits.release() }
        }
    }
}
