package dev.arraywright.raid.array.io

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class BuffersSpec : StringSpec({
    "what a late device writes is not seen once the block is in other memory" {
        val pool = PooledBuffers(1L shl 20)
        val block = Buffers(pool).acquire(4096)
        block.memory.put(7, 42)
        val late = block.share()
        block.renew()
        late.bytes.put(7, 0x66)
        block.memory.get(7) shouldBe 42
        block.release()
        pool.inUse() shouldBe 4096
        late.release()
        pool.inUse() shouldBe 0
    }
})
