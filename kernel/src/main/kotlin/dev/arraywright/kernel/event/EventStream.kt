package dev.arraywright.kernel.event

import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlin.time.Clock
import kotlin.time.toJavaInstant

/**
 * The one stream of a kernel's events. [emit] never waits: a subscriber that is more than [BACKLOG] events behind loses
 * the oldest and sees it by the gap in [KernelEvent.sequence]. A late subscriber first gets the last [REPLAY] events.
 */
internal class EventStream(private val clock: Clock) {
    private val flow = MutableSharedFlow<KernelEvent>(REPLAY, BACKLOG, BufferOverflow.DROP_OLDEST)
    private var last = 0L

    val events: SharedFlow<KernelEvent> = flow.asSharedFlow()

    /** Numbering and emitting are one step, so that subscribers see the sequence in order. */
    @Synchronized
    fun emit(occurrence: Occurrence) {
        check(flow.tryEmit(KernelEvent(++last, clock.now().toJavaInstant(), occurrence)))
    }

    private companion object {
        const val REPLAY = 64
        const val BACKLOG = 960
    }
}
