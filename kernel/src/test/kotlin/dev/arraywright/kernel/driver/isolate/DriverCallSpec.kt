package dev.arraywright.kernel.driver.isolate

import dev.arraywright.spi.driver.DriverException
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import java.net.URLClassLoader
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

class DriverCallSpec : StringSpec({
    "a call has a thread of its own, in the context of the driver and with nothing of the caller" {
        val own = URLClassLoader(emptyArray())
        val inherited = InheritableThreadLocal<String>().apply { set("the caller's") }
        val outcome = DriverCall.apart("start ram", own, 1.minutes) {
            val thread = Thread.currentThread()
            listOf(thread.name, thread.isDaemon, thread.contextClassLoader === own, inherited.get())
        }
        outcome.shouldBeInstanceOf<CallOutcome.Returned<List<Any?>>>().value shouldBe listOf(
            "start ram",
            true,
            true,
            null,
        )
    }

    "what it throws is told in words, the innermost of an initialiser's and the reason of a driver's" {
        val thrown = ExceptionInInitializerError(DriverException(DriverException.Reason.IN_USE, "it is taken", "wait"))
        val outcome = DriverCall.apart<Unit>("start ram", null, 1.minutes) { throw thrown }
        val failure = outcome.shouldBeInstanceOf<CallOutcome.Failed>().failure
        failure.copy(stack = "") shouldBe
            FailureText(DriverException::class.java.name, DriverException.Reason.IN_USE, "it is taken", "wait", "")
        failure.stack shouldContain "ExceptionInInitializerError"
    }

    "words without end are cut" {
        val outcome = DriverCall.apart<Unit>("start ram", null, 1.minutes) { error("x".repeat(1 shl 20)) }
        val failure = outcome.shouldBeInstanceOf<CallOutcome.Failed>().failure
        failure.message.length shouldBe 1_024
        failure.stack.length shouldBe 8_192
    }

    "a call that hangs is interrupted, told with where it is, and what comes of it later is handed over" {
        val never = CountDownLatch(1)
        val unused = CompletableDeferred<Pair<String, Boolean>>()
        val hand = { value: String -> unused.complete(value to Thread.interrupted()).let { } }
        val outcome = DriverCall.apart("start ram", null, 300.milliseconds, hand) {
            try {
                never.await()
                "released"
            } catch (_: InterruptedException) {
                Thread.currentThread().interrupt()
                "interrupted"
            }
        }
        outcome.shouldBeInstanceOf<CallOutcome.Late>().stack shouldContain "CountDownLatch.await"
        unused.await() shouldBe ("interrupted" to false)
    }
})
