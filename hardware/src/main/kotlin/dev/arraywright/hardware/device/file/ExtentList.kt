package dev.arraywright.hardware.device.file

import dev.arraywright.spi.device.Extent

/** Builds the gapless extents of a range from its holes, told in ascending order; holes shrink to whole blocks. */
internal class ExtentList(private val from: Long, private val to: Long, private val blockSize: Int) {
    private val extents = ArrayList<Extent>()
    private var covered = from

    fun hole(start: Long, end: Long) {
        val first = maxOf(roundUp(start), covered)
        val last = minOf(end and (blockSize - 1L).inv(), to)
        if (first >= last) return
        val previous = extents.lastOrNull()
        if (first > covered) extents += Extent(covered, first - covered, false)
        if (first == covered && previous != null && previous.hole()) {
            extents[extents.lastIndex] = Extent(previous.offset(), last - previous.offset(), true)
        } else {
            extents += Extent(first, last - first, true)
        }
        covered = last
    }

    fun finish(): List<Extent> {
        if (covered < to) extents += Extent(covered, to - covered, false)
        return extents
    }

    private fun roundUp(value: Long) = value + blockSize - 1 and (blockSize - 1L).inv()
}

internal fun everythingIsData(offset: Long, length: Long): List<Extent> =
    if (length == 0L) emptyList() else listOf(Extent(offset, length, false))
