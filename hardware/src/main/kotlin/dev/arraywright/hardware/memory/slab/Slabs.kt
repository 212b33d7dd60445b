package dev.arraywright.hardware.memory.slab

import dev.arraywright.hardware.numa.NodePreference
import java.util.concurrent.atomic.AtomicInteger

/**
 * The source of one pool's slabs. Those of 128 KiB and more are mappings of their own. Smaller ones are cut from chunks
 * that hold slabs of one size, because a process may have 65,530 mappings and no more; pools above 1 GiB raise that
 * bound so that no pool comes near it:
 *
 * ```
 * slab        a mapping holds
 * >= own      the slab                       own   = 128 KiB, or an 8192nd of the pool
 * <  own      64 slabs, but at least 2 * own bytes and at most 8 * own: 256 KiB to 1 MiB
 * ```
 *
 * A freed slab is given back to the operating system at once: the mapping with it if it was the last in it, else its
 * pages. Where nothing can be mapped the slabs come from the JDK. Thread-safe; nothing is kept for later.
 *
 * @param limit of the pool, in bytes
 * @param preference the node that the memory is to be on
 */
internal class Slabs(
    limit: Long,
    private val preference: NodePreference = NodePreference.NONE,
    private val pages: Pages = LinuxPages,
) {
    private val own = maxOf(SMALLEST_OWN, java.lang.Long.highestOneBit(limit / MAPPINGS))
    private val chunks = HashMap<Long, Chunks>()
    private val count = AtomicInteger()

    /** Mappings there are now. */
    val mappings: Int get() = count.get()

    /** A slab of [bytes], a multiple of [ALIGNMENT]; throws [OutOfMemoryError]. */
    fun take(bytes: Long): Slab {
        if (pages.absence != null) return Slab.plain(bytes, ALIGNMENT)
        val slab = if (bytes >= own) mapped(bytes) else synchronized(chunks) { chunksOf(bytes) }.take()
        return slab ?: Slab.plain(bytes, ALIGNMENT)
    }

    private fun mapped(bytes: Long): Slab? {
        val address = map(bytes, inParts = false)
        return if (address == 0L) null else Slab.over(address, bytes) { unmap(address, bytes) }
    }

    private fun chunksOf(bytes: Long): Chunks =
        chunks.getOrPut(bytes) {
            val size = (bytes * SLABS).coerceIn(own * SMALLEST_CHUNK, own * LARGEST_CHUNK)
            Chunks(bytes, (size / bytes).toInt(), pages, { map(it, inParts = true) }, ::unmap)
        }

    private fun map(bytes: Long, inParts: Boolean): Long {
        val address = pages.map(bytes, inParts)
        if (address != 0L) {
            preference.apply(address, bytes)
            count.incrementAndGet()
        }
        return address
    }

    private fun unmap(address: Long, bytes: Long) {
        pages.unmap(address, bytes)
        count.decrementAndGet()
    }

    companion object {
        const val ALIGNMENT: Long = 4096
        private const val SMALLEST_OWN = 128L shl 10
        private const val MAPPINGS = 8192
        private const val SLABS = 64
        private const val SMALLEST_CHUNK = 2
        private const val LARGEST_CHUNK = 8
    }
}
