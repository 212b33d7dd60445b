package dev.arraywright.samples.benchmarks

import java.util.Locale

/** Latencies in nanoseconds and how long it took to have them. */
internal class Latencies(private val sorted: LongArray, val seconds: Double) {
    val perSecond: Double get() = sorted.size / seconds

    /** Microseconds that the share [q] does not exceed. */
    fun quantile(q: Double): Double =
        if (sorted.isEmpty()) Double.NaN else sorted[(sorted.size * q).toInt().coerceAtMost(sorted.size - 1)] / 1e3
}

/** One figure a round. */
internal class Series {
    private val values = ArrayList<Double>()

    operator fun plusAssign(value: Double) {
        values += value
    }

    val median: Double
        get() {
            val sorted = values.sorted()
            return if (sorted.isEmpty()) Double.NaN else (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
        }

    val most: Double get() = values.maxOrNull() ?: Double.NaN

    /** Median, then least and most, in units of [unit]. */
    fun show(digits: Int = 0, unit: Double = 1.0): String {
        if (values.isEmpty()) return "-"
        val each = "%.${digits}f"
        return "$each [$each $each]".form(median / unit, values.min() / unit, values.max() / unit)
    }
}

internal fun String.form(vararg values: Any?): String = format(Locale.ROOT, *values)

/** Prints rows in columns; the first one is to the left. */
internal fun printTable(rows: List<List<String>>) {
    val widths = rows[0].indices.map { column -> rows.maxOf { it[column].length } }
    for (row in rows) {
        val cells = row.mapIndexed { i, cell -> if (i == 0) cell.padEnd(widths[i]) else cell.padStart(widths[i]) }
        println(cells.joinToString("   ").trimEnd())
    }
}
