package dev.arraywright.kernel.config

import dev.arraywright.hardware.memory.pressure.MemoryOptions
import kotlinx.serialization.Serializable

/** When memory is short; read when a kernel is started. */
@Serializable
public data class MemoryConfiguration(
    /** Bytes of the machine that should stay available. Absent: a 16th of it, from 64 MiB to 1 GiB. */
    @Serializable(with = ByteSizeText::class)
    public val reserve: Long? = null,
) {
    init {
        require(reserve == null || reserve > 0) { "memory: the reserve must be above 0, not $reserve" }
    }

    /** The options that this says. */
    public fun toOptions(): MemoryOptions = MemoryOptions(reserve = reserve)
}
