package dev.arraywright.kernel.driver.scan

/** Looks for ASCII text in bytes, by Horspool's way: most bytes are never looked at. */
internal class ByteSearch(text: String) {
    private val wanted = text.encodeToByteArray()
    private val last = wanted.size - 1
    private val steps = IntArray(256) { wanted.size }.also { steps ->
        for (at in 0 until last) steps[wanted[at].toInt() and 0xFF] = last - at
    }

    /** Whether the first [length] of [bytes] have it. */
    fun isIn(bytes: ByteArray, length: Int): Boolean {
        var end = last
        while (end < length) {
            var back = 0
            while (back <= last && bytes[end - back] == wanted[last - back]) back++
            if (back > last) return true
            end += steps[bytes[end].toInt() and 0xFF]
        }
        return false
    }
}
