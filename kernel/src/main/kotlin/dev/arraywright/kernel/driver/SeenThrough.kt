package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/** Does [work] to its end in this scope, even if the caller is cancelled and does not wait for that. */
internal suspend fun <T> CoroutineScope.seenThrough(work: suspend () -> T): T {
    val outcome = async {
        try {
            Result.success(work())
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            Result.failure(e)
        }
    }
    return try {
        outcome.await()
    } catch (e: CancellationException) {
        currentCoroutineContext().ensureActive()
        throw if (outcome.isCancelled) KernelError.Closed() else e
    }.getOrThrow()
}
