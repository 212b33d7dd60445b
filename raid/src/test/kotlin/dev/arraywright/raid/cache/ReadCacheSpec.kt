package dev.arraywright.raid.cache

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer

private const val BLOCK = 4096
private const val GRAIN = BLOCK / 64

class ReadCacheSpec : StringSpec({
    fun cache(blocks: Int, memory: Memory = Memory(1L shl 20)) = ReadCache(blocks * BLOCK.toLong(), memory, BLOCK)

    fun bytes(length: Int, byte: Int) = ByteBuffer.wrap(ByteArray(length) { byte.toByte() })

    fun CachedArray.read(offset: Long, length: Int): List<Byte>? {
        val target = ByteBuffer.allocate(length + 2).position(1).limit(length + 1)
        val served = serve(target, offset)
        target.position() to target.limit() shouldBe (1 to length + 1)
        target.array().run { first() to last() } shouldBe (0.toByte() to 0.toByte())
        return if (served) target.array().toList().subList(1, length + 1) else null
    }

    fun CachedArray.fill(offset: Long, length: Int, byte: Int) = loaded(load(offset, length), bytes(length, byte))

    "what was read is there again, as far as it covers whole grains" {
        val memory = Memory(1L shl 20)
        val cache = cache(8, memory)
        val array = cache.attach()
        array.fill(10, 3 * BLOCK, 7)
        array.read(10, 100) shouldBe null
        array.read(GRAIN.toLong(), 3 * BLOCK - GRAIN) shouldBe List(3 * BLOCK - GRAIN) { 7.toByte() }
        array.read(2L * BLOCK, BLOCK + GRAIN) shouldBe null
        cache.stats shouldBe ReadCacheStats(1, 2, 3L * BLOCK, 8L * BLOCK, 0)
        memory.inUse() shouldBe 3L * BLOCK
    }

    "grains come to a block one by one, and those that are there stay as they are" {
        val array = cache(1).attach()
        for (grain in 63 downTo 0 step 2) array.fill(grain.toLong() * GRAIN, GRAIN, grain)
        array.read(0, BLOCK) shouldBe null
        array.fill(0, BLOCK, 99)
        array.read(0, BLOCK) shouldBe List(BLOCK) {
            (it / GRAIN).let { grain -> if (grain % 2 == 1) grain else 99 }.toByte()
        }
    }

    "a write takes out what it touches when it begins, and lets nothing in until it has ended" {
        val array = cache(4).attach()
        array.fill(0, 2 * BLOCK, 1)
        val write = array.write(BLOCK - 1L, 2)
        array.read(BLOCK.toLong(), 1) shouldBe null
        array.read(0, BLOCK - GRAIN) shouldBe List(BLOCK - GRAIN) { 1.toByte() }
        array.fill(0, 2 * BLOCK, 2)
        array.read(BLOCK.toLong(), 1) shouldBe null
        array.written(write)
        array.fill(0, 2 * BLOCK, 3)
        array.read(BLOCK.toLong(), 1) shouldBe listOf<Byte>(3)
    }

    "a load is stale if a write began or ended meanwhile, or lay within, and not if it was elsewhere" {
        val array = cache(4).attach()
        val whole = array.load(0, BLOCK)
        val beside = array.load(GRAIN.toLong(), GRAIN)
        val write = array.write(0, GRAIN.toLong())
        val late = array.load(0, BLOCK)
        array.loaded(beside, bytes(GRAIN, 1))
        array.read(GRAIN.toLong(), GRAIN) shouldBe List(GRAIN) { 1.toByte() }
        array.written(write)
        for (load in listOf(whole, late)) array.loaded(load, bytes(BLOCK, 2))
        array.read(0, GRAIN) shouldBe null
        array.read(2L * GRAIN, GRAIN) shouldBe null
        array.fill(0, BLOCK, 3)
        array.read(0, 1) shouldBe listOf<Byte>(3)
    }

    "a write that begins while bytes are on their way in keeps them out, even if it has ended by then" {
        val memory = Memory(1L shl 20)
        val array = cache(4, memory).attach()
        memory.meanwhile = { array.written(array.write(0, 1)) }
        array.fill(0, BLOCK, 1)
        array.read(0, 1) shouldBe null
        memory.inUse() shouldBe 0
    }

    "of two loads of a block at once one is kept" {
        val memory = Memory(1L shl 20)
        val array = cache(4, memory).attach()
        memory.meanwhile = {
            memory.meanwhile = {}
            array.fill(0, BLOCK, 2)
        }
        array.fill(0, BLOCK, 1)
        array.read(0, BLOCK) shouldBe List(BLOCK) { 2.toByte() }
        memory.inUse() shouldBe BLOCK.toLong()
    }

    "while one load is copied into a block, another one leaves it alone" {
        val array = cache(4).attach()
        array.fill(0, GRAIN, 1)
        val block = array.find(CachedArray.Span(0, 1))!!.single()
        block.filling = true
        array.fill(0, BLOCK, 2)
        block.memory[GRAIN] shouldBe 0
        block.filling = false
        array.fill(0, BLOCK, 3)
        block.release()
        array.read(0, BLOCK) shouldBe List(BLOCK) { (if (it < GRAIN) 1 else 3).toByte() }
    }

    "of overlapping writes each one counts until its own end" {
        val array = cache(4).attach()
        val first = array.write(0, 100)
        val second = array.write(50, 100)
        array.written(first)
        array.fill(0, BLOCK, 1)
        array.read(64, 1) shouldBe null
        array.written(second)
        array.fill(0, BLOCK, 2)
        array.read(64, 1) shouldBe listOf<Byte>(2)
    }

    "a load that failed leaves nothing" {
        val array = cache(4).attach()
        array.loaded(array.load(0, BLOCK), null)
        array.read(0, 1) shouldBe null
    }

    "a discard of an array of any size strikes out what there is" {
        val cache = cache(4)
        val array = cache.attach()
        array.fill(1L shl 50, BLOCK, 1)
        array.fill(0, BLOCK, 2)
        array.written(array.write(0, (1L shl 50) + BLOCK / 2))
        array.read(0, 1) shouldBe null
        array.read((1L shl 50) + BLOCK / 2, BLOCK / 2) shouldBe List(BLOCK / 2) { 1.toByte() }
        cache.stats.bytes shouldBe BLOCK.toLong()
    }

    "arrays do not see one another's bytes, and one that ends gives its memory back and takes none" {
        val memory = Memory(1L shl 20)
        val cache = cache(8, memory)
        val (one, other) = List(2) { cache.attach() }
        one.fill(0, BLOCK, 1)
        other.fill(0, BLOCK, 2)
        one.read(0, 1) shouldBe listOf<Byte>(1)
        val load = one.load(BLOCK.toLong(), BLOCK)
        one.close()
        one.loaded(load, bytes(BLOCK, 1))
        one.fill(0, BLOCK, 1)
        one.read(0, 1) shouldBe null
        memory.inUse() shouldBe BLOCK.toLong()
        other.read(0, 1) shouldBe listOf<Byte>(2)
    }

    "it never holds more than its limit, and keeps what is of use" {
        val memory = Memory(1L shl 20)
        val cache = cache(10, memory)
        val array = cache.attach()
        for (i in 0L until 100) {
            array.fill(i * BLOCK, BLOCK, i.toInt())
            for (hot in 0L until minOf(i, 4)) array.read(hot * BLOCK, 1) shouldBe listOf(hot.toByte())
            (memory.inUse() <= 10 * BLOCK) shouldBe true
        }
        cache.stats.evictions shouldBe 90
    }

    "shrinking gives back the least useful at once, and it grows no more until its limit is raised" {
        val memory = Memory(1L shl 20)
        val cache = cache(8, memory)
        val array = cache.attach()
        for (i in 0L until 8) array.fill(i * BLOCK, BLOCK, i.toInt())
        array.read(3L * BLOCK, 1)
        cache.shrinkTo(2L * BLOCK + 1) shouldBe 6L * BLOCK
        memory.inUse() shouldBe 2L * BLOCK
        cache.shrinkTo(3L * BLOCK) shouldBe 0
        array.read(3L * BLOCK, 1) shouldBe listOf<Byte>(3)
        array.read(7L * BLOCK, 1) shouldBe listOf<Byte>(7)
        array.fill(0, 2 * BLOCK, 0)
        memory.inUse() shouldBe 2L * BLOCK
        cache.limit = 8L * BLOCK
        array.fill(0, 2 * BLOCK, 0)
        memory.inUse() shouldBe 3L * BLOCK
        cache.shrinkTo(0) shouldBe 3L * BLOCK
        array.takes(1) shouldBe false
        memory.inUse() shouldBe 0
        shouldThrow<IllegalArgumentException> { cache.limit = -1 }
    }

    "a limit that is lowered while a block is on its way in is kept" {
        val memory = Memory(1L shl 20)
        val cache = cache(8, memory)
        val array = cache.attach()
        val block = cache.admit(array, 0)!!
        cache.shrinkTo(0)
        synchronized(cache.lock) { cache.enter(block, wanted = true) } shouldBe false
        block.release()
        memory.inUse() shouldBe 0
        cache.limit = 8L * BLOCK
        for (i in 0L until 16) array.fill(i * BLOCK, BLOCK, 1)
        cache.stats.bytes shouldBe 8L * BLOCK
    }

    "a block that somebody has is not freed under it, nor written to" {
        val memory = Memory(1L shl 20)
        val cache = cache(8, memory)
        val array = cache.attach()
        for (strike in listOf({ cache.shrinkTo(0) }, { array.forget(0, 1) }, { array.close() })) {
            array.fill(0, BLOCK, 5)
            val had = array.find(CachedArray.Span(0, 1))!!.single()
            strike()
            memory.inUse() shouldBe BLOCK.toLong()
            cache.limit = 8L * BLOCK
            array.fill(0, BLOCK, 6)
            had.memory[0] shouldBe 5
            had.memory[BLOCK - 1] shouldBe 5
            had.release()
            cache.shrinkTo(0)
            memory.inUse() shouldBe 0
            had.memory[0] shouldBe Memory.POISON
            cache.limit = 8L * BLOCK
        }
    }

    "without memory there is no cache, and with less than its limit it goes on with what there is" {
        val none = cache(8, Memory(BLOCK - 1L))
        none.attach().run {
            fill(0, BLOCK, 1)
            read(0, 1) shouldBe null
        }
        val little = cache(8, Memory(2L * BLOCK))
        little.attach().run {
            for (i in 0L until 8) fill(i * BLOCK, BLOCK, i.toInt())
            read(7L * BLOCK, 1) shouldBe listOf<Byte>(7)
            read(6L * BLOCK, 1) shouldBe listOf<Byte>(6)
        }
        little.stats.bytes shouldBe 2L * BLOCK
    }

    "blocks are powers of two and not smaller than pages" {
        for (size in listOf(0, 512, 4095, 12_288)) {
            shouldThrow<IllegalArgumentException> { ReadCache(0, Memory(0), size) }
        }
    }
})
