package dev.arraywright.kernel

import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.layout.RaidLevel

/**
 * An array to be made.
 *
 * @param name what it is called: in its superblocks, its export, on the command line
 * @param members addresses of the members, in the order of their slots
 * @param spares addresses of members that wait for a failure
 * @param chunk bytes of a chunk, a power of two from 4096 on; ignored by RAID-1, which has none
 * @param createFilesOf if set, `file:` members that do not exist are created with this many bytes (and removed again if
 * the array cannot be made)
 * @param preallocate whether created files have their space from the start instead of being sparse
 * @param assumeClean skips the first resync: right only where all members hold zeroes or their old, consistent content
 * @param bitmapChunk bytes for which a bit of the write-intent bitmap stands, a power of two from 4096 on;
 * [AUTO_BITMAP] for md's default; absent: no bitmap
 * @param force makes the array although members belong to another one
 */
public data class ArraySpec(
    public val name: String,
    public val level: RaidLevel,
    public val members: List<String>,
    public val spares: List<String> = emptyList(),
    public val chunk: Int = DEFAULT_CHUNK,
    public val createFilesOf: Long? = null,
    public val preallocate: Boolean = false,
    public val assumeClean: Boolean = false,
    public val force: Boolean = false,
    public val bitmapChunk: Int? = null,
) {
    public companion object {
        /** mdadm's default: 512 KiB. */
        public const val DEFAULT_CHUNK: Int = 512 * 1024

        /** A write-intent bitmap as coarse as md makes it. */
        public const val AUTO_BITMAP: Int = CreateSpec.AUTO_BITMAP
    }
}
