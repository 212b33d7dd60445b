package dev.arraywright.kernel.driver.upgrade

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

class GateSpec : StringSpec({
    "nobody is inside once it is drained, however many keep coming and however often" {
        val gate = Gate()
        val inside = AtomicInteger()
        var stopped = false
        val passes = AtomicInteger()
        val callers = List(6) {
            thread {
                while (!stopped) {
                    gate.pass {
                        inside.incrementAndGet()
                        Thread.yield()
                        inside.decrementAndGet()
                    }
                    passes.incrementAndGet()
                }
            }
        }
        var seen = 0
        withContext(Dispatchers.Default) {
            repeat(2_000) {
                gate.shut()
                gate.drained()
                repeat(20) { seen = maxOf(seen, inside.get()) }
                gate.open()
            }
        }
        val before = passes.get()
        while (passes.get() == before) Thread.onSpinWait()
        stopped = true
        callers.forEach(Thread::join)
        seen shouldBe 0
    }

    "it is drained only when the last one has left, and those who come meanwhile wait for it to open" {
        val gate = Gate()
        val order = StringBuffer()
        gate.enter()
        gate.enter()
        gate.shut()
        val drained = launch(start = CoroutineStart.UNDISPATCHED) {
            gate.drained()
            order.append("drained ")
        }
        val late = thread { gate.pass { order.append("late") } }
        while (late.state != Thread.State.WAITING) Thread.onSpinWait()
        gate.leave()
        drained.isActive.shouldBeTrue()
        gate.leave()
        drained.join()
        gate.open()
        late.join()
        order.toString() shouldBe "drained late"
    }

    "an interrupt neither ends the wait nor gets lost" {
        val gate = Gate()
        gate.shut()
        val waiting = CountDownLatch(1)
        var passed = false
        var marked = false
        val late = thread {
            Thread.currentThread().interrupt()
            waiting.countDown()
            gate.pass { passed = true }
            marked = Thread.interrupted()
        }
        waiting.await()
        while (late.state != Thread.State.WAITING) Thread.onSpinWait()
        late.interrupt()
        passed shouldBe false
        gate.open()
        late.join()
        passed shouldBe true
        marked shouldBe true
    }

    "it is shut and opened in turns" {
        val gate = Gate()
        shouldThrow<IllegalStateException> { Gate().open() }
        gate.shut()
        shouldThrow<IllegalStateException> { gate.shut() }
    }

    "what is thrown inside leaves nobody inside" {
        val gate = Gate()
        shouldThrow<IllegalArgumentException> { gate.pass { require(false) } }
        gate.shut()
        gate.drained()
    }
})
