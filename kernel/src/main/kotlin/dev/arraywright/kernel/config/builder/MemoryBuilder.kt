package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.MemoryConfiguration

/** [MemoryConfiguration], key by key; null stands for absent. */
@ConfigurationDsl
public class MemoryBuilder internal constructor(from: MemoryConfiguration) {
    private val sizes = SizeTexts()

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var reserve: Long? = from.reserve

    public fun reserve(bytes: Long): MemoryBuilder = apply { reserve = bytes }

    public fun reserve(text: String?): MemoryBuilder = apply { reserve = text?.let(sizes::read) }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var readCache: Long? = from.readCache

    public fun readCache(bytes: Long): MemoryBuilder = apply { readCache = bytes }

    public fun readCache(text: String?): MemoryBuilder = apply { readCache = text?.let(sizes::read) }

    internal fun build(): MemoryConfiguration {
        sizes.check()
        return MemoryConfiguration(
            reserve = reserve,
            readCache = readCache,
        )
    }
}
