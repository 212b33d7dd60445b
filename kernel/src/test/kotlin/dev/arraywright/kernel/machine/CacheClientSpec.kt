package dev.arraywright.kernel.machine

import dev.arraywright.hardware.memory.balloon.PressureAsk
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.spare.get
import dev.arraywright.kernel.spare.put
import dev.arraywright.kernel.spare.vault
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class CacheClientSpec : StringSpec({
    "the read cache gives back what is asked, all of it when that is critical, and grows back in steps" {
        ArraywrightKernel.start(KernelOptions(watch = false, readCache = 8L shl 20)).use { kernel ->
            val array = kernel.vault()
            val data = Random(1).nextBytes(6 shl 20)
            array.put(data)
            for (at in data.indices step 65536) array.get(65536, at.toLong())
            val client = CacheClient(kernel.cache)
            val held = client.reclaimable()
            held shouldBe (6L shl 20)

            client.release(PressureAsk(1L shl 20, Level.LOW)) shouldBe (1L shl 20)
            client.reclaimable() shouldBe held - (1L shl 20)
            client.release(PressureAsk(1, Level.CRITICAL)) shouldBe held - (1L shl 20)
            array.get(65536, 0) shouldBe data.copyOf(65536)
            client.reclaimable() shouldBe 0

            var steps = 1
            while (!client.relax()) steps++
            steps shouldBe 8
            kernel.cache.limit shouldBe (8L shl 20)
            for (at in data.indices step 65536) array.get(65536, at.toLong())
            client.reclaimable() shouldBeLessThanOrEqual (8L shl 20)
            array.get(data.size) shouldBe data
        }
    }
})
