package dev.arraywright.kernel.driver.scan

/**
 * What a jar may cost those who read it. Sizes are in bytes; they are counted while inflating, and believed from the
 * headers only if they are too large there already.
 *
 * @property jarSize of the file
 * @property entries how many, directories included
 * @property entrySize of one entry, inflated
 * @property totalSize of all entries, inflated
 * @property ratio how many times its deflated size an entry may have; not counted for its first MiB
 */
public data class JarLimits(
    public val jarSize: Long = 512 * MIB,
    public val entries: Int = 100_000,
    public val entrySize: Long = 128 * MIB,
    public val totalSize: Long = 1024 * MIB,
    public val ratio: Int = 100,
) {
    init {
        require(jarSize > 0 && entries > 0 && entrySize > 0 && totalSize > 0 && ratio > 0) { "limits are above 0" }
    }

    internal companion object {
        const val MIB = 1L shl 20

        /** Above this a class file is none that a compiler wrote; it is held in memory. */
        const val CLASS_SIZE = 8 * MIB

        /** Above this an entry that is read as text is refused; it is held in memory. */
        const val TEXT_SIZE = MIB / 4
    }
}
