package dev.arraywright.kernel

import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer

class KernelCacheSpec : StringSpec({
    val spec = ArraySpec("a", RaidLevel.RAID0, listOf("memory:8MiB#cached-a", "memory:8MiB#cached-b"))

    suspend fun ArrayHandle.readAll() {
        for (at in 0 until size step PART) read(ByteBuffer.allocate(minOf(PART, size - at).toInt()), at)
    }

    "arrays are read through the kernel's cache, which gives way and grows back" {
        ArraywrightKernel.start(KernelOptions(readCache = 4L shl 20)).use { kernel ->
            val array = kernel.createArray(spec)
            repeat(2) { array.readAll() }
            kernel.cache.stats.bytes shouldBeInRange (3L shl 20)..(4L shl 20)
            kernel.cache.shrinkTo(0) shouldBeInRange (3L shl 20)..(4L shl 20)
            kernel.cache.stats.bytes shouldBe 0
            kernel.cache.limit = 4L shl 20
            repeat(2) { array.read(ByteBuffer.allocate(4096), 0) }
            kernel.cache.stats.hits shouldBe 1
            kernel.stopArray("a")
            kernel.cache.stats.bytes shouldBe 0
        }
    }

    "a kernel may have none" {
        ArraywrightKernel.start(KernelOptions(readCache = 0)).use { kernel ->
            kernel.createArray(spec).readAll()
            kernel.cache.stats.run { hits + misses + bytes } shouldBe 0
        }
    }
}) {
    private companion object {
        const val PART = 64L * 1024
    }
}
