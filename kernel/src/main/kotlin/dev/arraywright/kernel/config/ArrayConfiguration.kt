package dev.arraywright.kernel.config

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.ByteSize
import kotlinx.serialization.Serializable

/**
 * One array to keep running: its [name], the addresses of its [members] (the order of the slots, where it is made) and of
 * its own [spares], and its [export] if it has one.
 */
@Serializable
public data class ArrayConfiguration(
    public val name: String,
    public val members: List<String>,
    public val export: ExportConfiguration? = null,
    public val spares: List<String> = emptyList(),
    /** Failure domains (enclosure, node, host) of members and spares, by address. */
    public val domains: Map<String, String> = emptyMap(),
    /** If set, the array is made where all members are blank: `raid6`. */
    public val level: String? = null,
    /** Bytes of a chunk, where it is made. */
    @Serializable(with = ByteSizeText::class)
    public val chunk: Long = ArraySpec.DEFAULT_CHUNK.toLong(),
    /** Bytes that a bit of the write-intent bitmap stands for, where it is made: `64MiB`, or `auto`; absent: no bitmap. */
    public val bitmap: String? = null,
) {
    init {
        require(name.isNotBlank()) { "arrays: a name is blank" }
        require(members.isNotEmpty()) { "arrays: $name has no members" }
        require(level == null || raidLevel != null) {
            "arrays: $name: there is no level $level; levels are " + RaidLevel.entries.joinToString()
        }
        require(chunk in 1..Int.MAX_VALUE) { "arrays: $name: a chunk has not $chunk bytes" }
        bitmapChunk
    }

    /** What [level] names. */
    internal val raidLevel: RaidLevel? get() = RaidLevel.entries.firstOrNull { it.toString() == level }

    /** What [bitmap] says, as [ArraySpec] takes it. */
    internal val bitmapChunk: Int?
        get() {
            if (bitmap == null) return null
            if (bitmap == AUTO) return ArraySpec.AUTO_BITMAP
            val bytes = try {
                ByteSize.parse(bitmap)
            } catch (e: IllegalArgumentException) {
                throw IllegalArgumentException("arrays: $name: bitmap: ${e.message}; write \"64MiB\" or \"auto\"", e)
            }
            require(bytes in SMALLEST..Int.MAX_VALUE && bytes.countOneBits() == 1) {
                "arrays: $name: bitmap: $bitmap is no power of two from 4KiB to 1GiB"
            }
            return bytes.toInt()
        }
}

private const val AUTO = "auto"
private const val SMALLEST = 4096L

/** How an array is exported: the NBD export's [name]. */
@Serializable
public data class ExportConfiguration(
    public val name: String,
    public val description: String = "",
    public val readOnly: Boolean = false,
)
