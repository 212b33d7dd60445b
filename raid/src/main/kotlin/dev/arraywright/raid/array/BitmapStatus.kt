package dev.arraywright.raid.array

/** What to know of a write-intent bitmap: bytes a bit stands for, bits, those that are set, how far back it reaches. */
public data class BitmapStatus(
    public val chunk: Long,
    public val chunks: Int,
    public val dirty: Int,
    public val eventsCleared: Long,
)
