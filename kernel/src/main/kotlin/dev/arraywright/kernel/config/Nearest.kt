package dev.arraywright.kernel.config

/** The one of [known] that [word] may have been meant to be. */
internal fun nearest(word: String, known: Collection<String>): String =
    known.minBy { distance(word.lowercase(), it.lowercase()) }

/** Levenshtein's edit distance. */
private fun distance(a: String, b: String): Int {
    var row = IntArray(b.length + 1) { it }
    for (i in 1..a.length) {
        val next = IntArray(b.length + 1)
        next[0] = i
        for (j in 1..b.length) {
            val swap = row[j - 1] + if (a[i - 1] == b[j - 1]) 0 else 1
            next[j] = minOf(swap, row[j] + 1, next[j - 1] + 1)
        }
        row = next
    }
    return row[b.length]
}
