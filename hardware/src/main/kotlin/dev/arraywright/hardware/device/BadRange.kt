package dev.arraywright.hardware.device

/**
 * Narrows a failed read down to the bytes that cannot be read, block by block.
 *
 * @property offset first bad byte
 * @property length up to the first good block behind it; a guess, to the end of the read, after [PATIENCE] bad blocks,
 *   as each may cost a disk seconds
 */
internal data class BadRange(val offset: Long, val length: Long) {
    companion object {
        const val PATIENCE: Int = 16

        /** Null if all of it can be read now. [readable] tries [block] bytes, or the rest of the range. */
        inline fun find(
            offset: Long,
            length: Long,
            block: Int,
            readable: (at: Long, count: Long) -> Boolean,
        ): BadRange? {
            val end = offset + length
            var first = -1L
            for (at in offset until end step block.toLong()) {
                val good = readable(at, minOf(block.toLong(), end - at))
                if (good && first >= 0) return BadRange(first, at - first)
                if (!good && first < 0) first = at
                if (first >= 0 && at - first >= (PATIENCE - 1L) * block) break
            }
            return if (first < 0) null else BadRange(first, end - first)
        }
    }
}
