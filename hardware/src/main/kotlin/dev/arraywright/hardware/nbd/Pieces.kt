package dev.arraywright.hardware.nbd

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/**
 * Does a range in steps of at most [piece] bytes, one after the other; the first failure ends it. Steps that are
 * done at once do not deepen the stack.
 */
internal fun inPieces(
    offset: Long,
    length: Long,
    piece: Long,
    step: (offset: Long, length: Long) -> CompletionStage<Void>,
): CompletionStage<Void> = Pieces(offset, offset + length, piece, step).apply { advance() }.done

private class Pieces(
    private var at: Long,
    private val end: Long,
    private val piece: Long,
    private val step: (Long, Long) -> CompletionStage<Void>,
) {
    val done = CompletableFuture<Void>()

    fun advance() {
        while (at < end) {
            val count = minOf(piece, end - at)
            val stage = try {
                step(at, count)
            } catch (e: RuntimeException) {
                done.completeExceptionally(e)
                return
            }
            at += count
            val future = stage.toCompletableFuture()
            if (!future.isDone) {
                future.whenComplete {
                    _,
                    failure,
                    ->
                    if (failure == null) advance() else done.completeExceptionally(failure)
                }
                return
            }
            if (future.isCompletedExceptionally) {
                done.completeExceptionally(future.exceptionNow())
                return
            }
        }
        done.complete(null)
    }
}
