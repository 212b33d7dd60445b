package dev.arraywright.raid.array.intent

import dev.arraywright.spi.device.DeviceIoException

/** What the intent needs of the array. */
internal interface IntentStore {
    /** True if every slot is in sync: only then bits may be cleared. */
    val complete: Boolean

    /**
     * Writes the blocks to every member that takes writes, and flushes them; who fails is failed by the array. Returns
     * once the superblocks of those that have the blocks say of all others that they are gone, whenever they went: else
     * one of the others could be taken for current after a power cut, and its bitmap be believed. It is not cancelled,
     * so it has to end by itself.
     *
     * @throws DeviceIoException only if the array has failed or stopped
     */
    suspend fun write(blocks: List<IntentBlock>)

    /** Everything acknowledged before this call is on stable storage of every member that takes writes. */
    suspend fun flush()
}

/** [bytes], whole blocks, for [offset] from where the bitmap begins. */
internal class IntentBlock(val offset: Long, val bytes: ByteArray)
