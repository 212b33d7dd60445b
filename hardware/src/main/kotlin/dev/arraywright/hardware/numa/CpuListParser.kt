package dev.arraywright.hardware.numa

/** A list of CPUs or nodes that is not in the kernel's form. */
internal class CpuListException(message: String) : IllegalArgumentException(message)

/** The kernel's lists of CPUs and nodes, such as `0-3,8,10-11`; an empty one is written as nothing. */
internal object CpuListParser {
    /** A number above that of any kernel's last CPU is no list of CPUs, and would be costly to believe. */
    const val MOST: Int = 1 shl 16

    /** The numbers in ascending order, each once; throws [CpuListException]. */
    fun parse(text: String): List<Int> {
        val list = text.trim()
        if (list.isEmpty()) return emptyList()
        val numbers = sortedSetOf<Int>()
        for (part in list.split(',')) {
            val first = number(part.substringBefore('-'), text)
            val last = if ('-' in part) number(part.substringAfter('-'), text) else first
            if (last < first) throw CpuListException("$part runs backwards in \"${text.take(SHOWN)}\"")
            numbers.addAll(first..last)
        }
        return numbers.toList()
    }

    private fun number(digits: String, text: String): Int =
        digits.takeIf { it.isNotEmpty() && it.all { digit -> digit in '0'..'9' } }?.toIntOrNull()?.takeIf { it < MOST }
            ?: throw CpuListException("\"${digits.take(SHOWN)}\" is no number below $MOST, in \"${text.take(SHOWN)}\"")

    private const val SHOWN = 80
}
