package dev.arraywright.kernel.config

/** The one of [known] that [word] may have been meant to be. */
internal fun nearest(word: String, known: Collection<String>): String = known.minBy { distance(word, it) }

/** How many characters differ between two words, whatever their case: Levenshtein's edit distance. */
internal fun distance(one: String, other: String): Int {
    val a = one.lowercase()
    val b = other.lowercase()
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
