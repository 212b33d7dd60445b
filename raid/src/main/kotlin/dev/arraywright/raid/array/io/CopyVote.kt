package dev.arraywright.raid.array.io

/**
 * Copies of the same bytes side by side in [bytes], [length] each, compared block by block. Of three or more the one
 * that all others contradict is wrong; two cannot tell.
 */
internal class CopyVote(
    private val bytes: Block,
    private val length: Int,
    private val block: Int,
    private val copies: List<Int>,
) {
    /** Runs of blocks that disagree in the same way. */
    fun mismatches(): List<CopyMismatch> {
        val found = ArrayList<CopyMismatch>()
        for (from in 0 until length step GRAIN.coerceAtLeast(block)) {
            val until = minOf(from + GRAIN.coerceAtLeast(block), length)
            val now = compare(from, until) ?: continue
            val last = found.lastOrNull()
            if (last != null && last.from + last.length == from && last.wrong == now.wrong)
                found[found.size - 1] = CopyMismatch(last.from, last.length + now.length, now.wrong, now.what)
            else
                found += now
        }
        return found
    }

    private fun compare(from: Int, until: Int): CopyMismatch? {
        val groups = ArrayList<MutableList<Int>>()
        for (copy in copies) {
            val same = groups.firstOrNull { equal(it[0], copy, from, until) }
            if (same != null) same += copy else groups += mutableListOf(copy)
        }
        if (groups.size == 1) return null
        val lone = groups.singleOrNull { it.size == 1 && groups.size == 2 && copies.size > 2 }?.single()
        val what = lone?.let { "copy $it differs from the others" } ?: "the copies differ, and none can be told wrong"
        return CopyMismatch(from, until - from, lone, what)
    }

    private fun equal(a: Int, b: Int, from: Int, until: Int): Boolean =
        bytes.slice(a * length + from, until - from).mismatch(bytes.slice(b * length + from, until - from)) < 0

    private companion object {
        const val GRAIN = 4096
    }
}

/** Bytes [from] until [from] + [length] of a row, and the copy that is wrong if that can be told. */
internal class CopyMismatch(val from: Int, val length: Int, val wrong: Int?, val what: String)
