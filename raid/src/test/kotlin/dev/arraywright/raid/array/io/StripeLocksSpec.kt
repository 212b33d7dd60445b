package dev.arraywright.raid.array.io

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.UnconfinedTestDispatcher
import kotlinx.coroutines.yield
import java.util.concurrent.atomic.AtomicIntegerArray
import kotlin.random.Random

@OptIn(ExperimentalCoroutinesApi::class)
class StripeLocksSpec : StringSpec({
    class Holder(scope: CoroutineScope, locks: StripeLocks, stripe: Long, from: Int, until: Int, shared: Boolean) {
        var holds = false
        val done = CompletableDeferred<Unit>()
        val job: Job = scope.launch(UnconfinedTestDispatcher()) {
            locks.withLock(stripe, from, until, shared) {
                holds = true
                done.await()
            }
            holds = false
        }
    }

    "disjoint columns and other stripes do not wait, overlapping ones do" {
        coroutineScope {
            val locks = StripeLocks()
            val first = Holder(this, locks, 1, 0, 10, false)
            val beside = Holder(this, locks, 1, 10, 20, false)
            val elsewhere = Holder(this, locks, 2, 0, 10, false)
            val over = Holder(this, locks, 1, 9, 11, false)
            listOf(first, beside, elsewhere, over).map { it.holds } shouldBe listOf(true, true, true, false)
            first.done.complete(Unit)
            over.holds shouldBe false
            beside.done.complete(Unit)
            over.holds shouldBe true
            over.done.complete(Unit)
            elsewhere.done.complete(Unit)
            locks.size() shouldBe 0
        }
    }

    "shared holders share, and do not overtake a writer that waits" {
        coroutineScope {
            val locks = StripeLocks()
            val reader = Holder(this, locks, 1, 0, 10, true)
            val writer = Holder(this, locks, 1, 0, 5, false)
            val late = Holder(this, locks, 1, 0, 10, true)
            val aside = Holder(this, locks, 1, 5, 10, true)
            listOf(reader, writer, late, aside).map { it.holds } shouldBe listOf(true, false, false, true)
            reader.done.complete(Unit)
            writer.holds shouldBe true
            writer.done.complete(Unit)
            late.holds shouldBe true
            late.done.complete(Unit)
            aside.done.complete(Unit)
            locks.size() shouldBe 0
        }
    }

    "a waiter that is cancelled leaves, and those behind it move up" {
        coroutineScope {
            val locks = StripeLocks()
            val holder = Holder(this, locks, 1, 0, 5, true)
            val waiter = Holder(this, locks, 1, 0, 10, false)
            val behind = Holder(this, locks, 1, 0, 10, true)
            behind.holds shouldBe false
            waiter.job.cancel()
            behind.holds shouldBe true
            behind.done.complete(Unit)
            holder.done.complete(Unit)
            locks.size() shouldBe 0
        }
    }

    "on many threads no column is ever held by a writer and somebody else, through cancellations" {
        val locks = StripeLocks()
        val columns = AtomicIntegerArray(64)
        val writer = 1000
        coroutineScope {
            repeat(8) { worker ->
                launch(Dispatchers.Default) {
                    val random = Random(worker)
                    repeat(2000) {
                        val from = random.nextInt(32)
                        val until = from + 1 + random.nextInt(32)
                        val shared = random.nextBoolean()
                        val attempt = launch {
                            locks.withLock(7, from, until, shared) { yield() }
                        }
                        if (random.nextInt(4) == 0) attempt.cancel()
                        val claim = locks.acquire(7, from, until, shared)
                        for (column in from until until) {
                            val now = columns.addAndGet(column, if (shared) 1 else writer)
                            check(if (shared) now < writer else now == writer) { "column $column has $now" }
                        }
                        yield()
                        for (column in from until until) columns.addAndGet(column, if (shared) -1 else -writer)
                        locks.release(claim)
                    }
                }
            }
        }
        locks.size() shouldBe 0
    }
})
