package dev.arraywright.hardware.memory.figures

/** `/proc/vmstat`: a name and a count a line. */
internal object VmstatParser {
    /**
     * Pages that a balloon holds now: what it has taken less what it has given back. Null where the kernel does not
     * count them. Throws [FiguresException].
     */
    fun balloonPages(text: String): Long? {
        var inflated: Long? = null
        var deflated: Long? = null
        eachLine(text) { line ->
            when {
                line.startsWith(INFLATE) -> inflated = count(line.substring(INFLATE.length), "balloon_inflate")
                line.startsWith(DEFLATE) -> deflated = count(line.substring(DEFLATE.length), "balloon_deflate")
            }
        }
        val taken = inflated ?: return null
        // Summed over the processors one after another, so that it may be off by a few for a moment.
        return (taken - (deflated ?: 0)).coerceAtLeast(0)
    }

    private const val INFLATE = "balloon_inflate "
    private const val DEFLATE = "balloon_deflate "
}
