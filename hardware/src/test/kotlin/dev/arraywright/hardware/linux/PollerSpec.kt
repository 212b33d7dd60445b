package dev.arraywright.hardware.linux

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

class PollerSpec : StringSpec({
    fun Descriptor.signal() = Arena.ofConfined().use { arena ->
        val one = arena.allocate(JAVA_LONG).apply { set(JAVA_LONG, 0, 1) }
        write(one.address(), 8) shouldBe 8
    }

    fun Descriptor.drain() = Arena.ofConfined().use { read(it.allocate(JAVA_LONG).address(), 8) }

    "each change is told once, to whom it belongs, until the watch is closed" {
        Poller().use { poller ->
            val told = LinkedBlockingQueue<String>()
            val (first, second) = Descriptor.event() to Descriptor.event()
            val watch = poller.watch(first, Epoll.EPOLLIN) { told += "first $it" }
            poller.watch(second, Epoll.EPOLLIN) { told += "second $it" }
            first.signal()
            told.poll(10, TimeUnit.SECONDS) shouldBe "first 1"
            second.signal()
            told.poll(10, TimeUnit.SECONDS) shouldBe "second 1"
            first.drain() shouldBe 8
            watch.close()
            first.signal()
            second.signal()
            told.poll(10, TimeUnit.SECONDS) shouldBe "second 1"
            told.poll().shouldBeNull()
            first.close()
            second.close()
        }
    }

    "a descriptor that is closed cannot be watched, and a closed poller tells nobody" {
        val poller = Poller()
        val closed = Descriptor.event().apply { close() }
        shouldThrow<PosixException> { poller.watch(closed, Epoll.EPOLLIN) {} }.errno shouldBe Errno.EBADF
        poller.close()
        poller.close()
    }
})
