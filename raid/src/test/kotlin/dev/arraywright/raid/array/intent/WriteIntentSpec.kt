package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.UnconfinedTestDispatcher
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import java.util.BitSet
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random

@OptIn(ExperimentalCoroutinesApi::class)
class WriteIntentSpec : StringSpec({
    val superblock = superblock()

    fun bits(vararg set: Int) = BitSet().apply { set.forEach(::set) }

    fun intent(store: IntentStore, bits: BitSet = BitSet(), needed: Boolean = false) =
        WriteIntent(BitmapHeader.of(superblock.setUuid(), 7, SYNC_SIZE, CHUNK), bits, needed, 512, store)

    suspend fun WriteIntent.enterChunk(i: Int) = enter(i.toLong() * CHUNK, (i + 1L) * CHUNK)

    fun WriteIntent.leaveChunk(i: Int, everywhere: Boolean = true) =
        leave(i.toLong() * CHUNK, (i + 1L) * CHUNK, everywhere)

    fun CoroutineScope.now(action: suspend CoroutineScope.() -> Unit) =
        launch(UnconfinedTestDispatcher(), block = action)

    "a chunk is on stable storage before it is entered, and the next time there is nothing to wait for" {
        val store = FakeIntentStore()
        val intent = intent(store)
        intent.enter(5L * CHUNK + 100, 7L * CHUNK + 1)
        store.dirty shouldBe bits(5, 6, 7)
        intent.enterChunk(6)
        store.log shouldBe listOf("write 0+512")
        intent.enter(2047L * CHUNK, 2049L * CHUNK)
        store.log.last() shouldBe "write 0+1024"
        store.dirty shouldBe bits(5, 6, 7, 2047, 2048)
        intent.dirtyChunks shouldBe 5
        intent.dirty(0, 5L * CHUNK) shouldBe false
        intent.dirty(0, 5L * CHUNK + 1) shouldBe true
    }

    "those who come while a round is written share the next one" {
        val store = FakeIntentStore(CompletableDeferred())
        val intent = intent(store)
        coroutineScope {
            val entered = AtomicInteger()
            for (i in 0..<100) {
                now {
                    intent.enterChunk(i * 50)
                    entered.incrementAndGet()
                }
            }
            entered.get() shouldBe 0
            store.hold!!.complete(Unit)
            entered.get() shouldBe 100
        }
        store.log shouldBe listOf("write 0+512", "write 0+1024")
    }

    "a failed round fails all who waited, and counts none of them" {
        val store = FakeIntentStore(CompletableDeferred())
        val intent = intent(store)
        coroutineScope {
            val waiting = (0..<10).map { i ->
                async(UnconfinedTestDispatcher()) { shouldThrow<DeviceGoneException> { intent.enterChunk(i) } }
            }
            store.failure = DeviceGoneException("md0", "it failed", null)
            store.hold!!.complete(Unit)
            waiting.awaitAll()
        }
        store.failure = null
        intent.enterChunk(3)
        (0..<10).all { store.dirty[it] } shouldBe true
        intent.leaveChunk(3)
        repeat(2) { intent.tick() }
        store.dirty shouldBe bits()
    }

    "what a failed round did not write comes with the next pass" {
        val store = FakeIntentStore()
        val intent = intent(store)
        store.failure = DeviceGoneException("md0", "it failed", null)
        shouldThrow<DeviceGoneException> { intent.enterChunk(3000) }
        store.failure = null
        intent.recording(7) { store.put(it) }
        intent.tick()
        store.dirty shouldBe bits(3000)
    }

    "who is cancelled, leading or not, is not counted, and the others go on" {
        val store = FakeIntentStore(CompletableDeferred())
        val intent = intent(store)
        coroutineScope {
            var entered = 0
            val jobs = (0..<6).map { i ->
                now {
                    intent.enterChunk(i)
                    entered++
                }
            }
            for (i in listOf(0, 1, 4)) jobs[i].cancel()
            store.hold!!.complete(Unit)
            jobs.forEach { it.join() }
            // The leader of a round sees it to the end, and may then find itself in.
            for (i in listOf(2, 3, 5)) intent.leaveChunk(i)
            (entered in 3..5) shouldBe true
        }
    }

    "a header that was made earlier and lands later takes no bit along" {
        val store = FakeIntentStore()
        val intent = intent(store)
        coroutineScope {
            val landing = CompletableDeferred<Unit>()
            now {
                intent.recording(7) { block ->
                    landing.await()
                    store.put(block)
                }
            }
            var entered = false
            now {
                intent.enterChunk(1)
                entered = true
            }
            entered shouldBe false
            landing.complete(Unit)
            entered shouldBe true
            store.dirty shouldBe bits(1)
        }
    }

    "a header that was recorded while a round was written is written again" {
        val store = FakeIntentStore(CompletableDeferred())
        val intent = intent(store)
        coroutineScope {
            now { intent.enterChunk(1) }
            intent.recording(9) { store.put(it) }
            store.read().header.events() shouldBe 9
            store.dirty shouldBe bits(1)
            store.hold!!.complete(Unit)
            store.read().header.events() shouldBe 9
        }
    }

    "recording never waits for a round" {
        val store = FakeIntentStore(CompletableDeferred())
        val intent = intent(store)
        coroutineScope {
            now { intent.enterChunk(1) }
            var done = false
            now {
                intent.recording(8) { }
                intent.seeding { }
                done = true
            }
            done shouldBe true
            store.hold!!.complete(Unit)
        }
    }

    "a bit is cleared in the second pass without use, after a flush and after events_cleared" {
        val store = FakeIntentStore()
        val intent = intent(store)
        intent.recording(8) { store.put(it) }
        intent.enterChunk(3000)
        intent.tick()
        intent.leaveChunk(3000)
        intent.tick()
        store.log.clear()
        intent.enterChunk(3000)
        intent.leaveChunk(3000)
        intent.tick()
        store.log shouldBe emptyList()
        intent.eventsCleared shouldBe 7
        intent.tick()
        store.log shouldBe listOf("flush", "write 0+512", "write 512+512")
        store.read().header.eventsCleared() shouldBe 8
        store.dirty shouldBe bits()
        intent.enterChunk(3000)
        store.dirty shouldBe bits(3000)
    }

    "a chunk that is used during the flush stays" {
        lateinit var intent: WriteIntent
        val inner = FakeIntentStore()
        val store = object : IntentStore by inner {
            override suspend fun flush() {
                intent.enterChunk(2)
                intent.leaveChunk(2)
            }
        }
        intent = intent(store)
        intent.enterChunk(2)
        intent.leaveChunk(2)
        repeat(4) { intent.tick() }
        inner.dirty shouldBe bits(2)
    }

    "nothing is cleared while a slot is not in sync, and what a member missed not before it is resynced" {
        val store = FakeIntentStore()
        val intent = intent(store)
        for (i in 0..4) intent.enterChunk(i)
        for (i in 0..4) intent.leaveChunk(i, everywhere = i != 2)
        store.complete = false
        repeat(3) { intent.tick() }
        store.dirty shouldBe bits(0, 1, 2, 3, 4)
        store.complete = true
        repeat(3) { intent.tick() }
        store.dirty shouldBe bits(2)
        intent.needed(2L * CHUNK, 3L * CHUNK) shouldBe true
        intent.resynced(2L * CHUNK, 2L * CHUNK + 100)
        intent.needed(2L * CHUNK, 3L * CHUNK) shouldBe true
        intent.resynced(2L * CHUNK + 100, 3L * CHUNK)
        intent.needed(2L * CHUNK, 3L * CHUNK) shouldBe false
        repeat(2) { intent.tick() }
        store.dirty shouldBe bits()
    }

    "a chunk that a member misses a write to while it is swept is needed afterwards" {
        val intent = intent(FakeIntentStore(), bits(0, 1, 2, 4999), needed = true)
        intent.enterChunk(1)
        intent.resynced(0, CHUNK + 100L)
        intent.leaveChunk(1, everywhere = false)
        intent.resynced(CHUNK + 100L, 3L * CHUNK)
        (0..2).map { intent.needed(it.toLong() * CHUNK, it * CHUNK + 1L) } shouldBe listOf(false, true, false)
        intent.neededChunks shouldBe 2
        intent.resynced(SYNC_SIZE - 1, SYNC_SIZE)
        intent.neededChunks shouldBe 2
        intent.resynced(SYNC_SIZE - CHUNK, SYNC_SIZE)
        intent.neededChunks shouldBe 1
    }

    "all that is dirty is needed once a member failed" {
        val intent = intent(FakeIntentStore(), bits(3, 4))
        intent.needed(0, SYNC_SIZE) shouldBe false
        intent.needAll()
        intent.neededChunks shouldBe 2
    }

    "a newcomer is given header and bits as they are" {
        val store = FakeIntentStore()
        val intent = intent(store, bits(1, 2500))
        intent.recording(11) { }
        intent.seeding { it.forEach(store::put) }
        store.dirty shouldBe bits(1, 2500)
        store.read().header.events() shouldBe 11
    }

    "misuse is refused" {
        val intent = intent(FakeIntentStore())
        shouldThrow<IllegalArgumentException> { intent.enter(-1, 1) }
        shouldThrow<IllegalArgumentException> { intent.enter(5, 5) }
        shouldThrow<IllegalArgumentException> { intent.enter(0, SYNC_SIZE + 1) }
        shouldThrow<IllegalStateException> { intent.leaveChunk(0) }
        shouldThrow<IllegalArgumentException> { intent(FakeIntentStore(), bits(5000)) }
    }

    "random writes of many writers cost few writes of the bitmap" {
        runTest {
            val inner = FakeIntentStore()
            val writes = AtomicInteger()
            val store = object : IntentStore by inner {
                override suspend fun write(blocks: List<IntentBlock>) {
                    writes.incrementAndGet()
                    delay(2)
                }
            }
            val intent = intent(store)
            val ticking = launch {
                while (true) {
                    delay(5000)
                    intent.tick()
                }
            }
            coroutineScope {
                repeat(32) { writer ->
                    launch {
                        val random = Random(writer)
                        repeat(2000) {
                            val chunk = random.nextInt(5000)
                            intent.enterChunk(chunk)
                            delay(1)
                            intent.leaveChunk(chunk)
                        }
                    }
                }
            }
            ticking.cancel()
            writes.get() shouldBeLessThan 64_000 / 50
        }
    }

    "on many threads whoever is in finds its bit on stable storage" {
        val inner = FakeIntentStore()
        val store = object : IntentStore by inner {
            override suspend fun write(blocks: List<IntentBlock>) = synchronized(inner) { blocks.forEach(inner::put) }

            override suspend fun flush() = Unit
        }
        val intent = intent(store)
        withContext(Dispatchers.Default) {
            val ticking = launch { while (true) intent.tick().also { delay(1) } }
            coroutineScope {
                repeat(8) { worker ->
                    launch {
                        val random = Random(worker)
                        repeat(3000) {
                            val chunk = random.nextInt(40) * 100
                            val attempt = launch {
                                intent.enterChunk(chunk)
                                intent.leaveChunk(chunk)
                            }
                            if (random.nextInt(3) == 0) attempt.cancel()
                            intent.enterChunk(chunk)
                            val set =
                                synchronized(inner) { inner.area.get(256 + chunk / 8).toInt() shr chunk % 8 and 1 }
                            check(set == 1) { "chunk $chunk" }
                            intent.leaveChunk(chunk)
                        }
                    }
                }
            }
            ticking.cancel()
            ticking.join()
        }
        repeat(2) { intent.tick() }
        inner.dirty shouldBe bits()
        intent.dirtyChunks shouldBe 0
    }
})
