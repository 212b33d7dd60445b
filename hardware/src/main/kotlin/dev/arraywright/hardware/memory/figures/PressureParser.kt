package dev.arraywright.hardware.memory.figures

/**
 * One line of a PSI file: time in which work stood still for want of memory.
 *
 * @property average10 its share of the last 10 s, 0 to 1
 * @property totalMicros its sum since the machine started
 */
internal data class Stall(val average10: Double, val totalMicros: Long)

/** A PSI file: [some] of the tasks stood still, or [full], all of them at once (not told before Linux 5.13 of cpu). */
internal data class PressureFigures(val some: Stall, val full: Stall)

/** `some avg10=0.00 avg60=0.00 avg300=0.42 total=402339394`, and the same for `full`. */
internal object PressureParser {
    /** Throws [FiguresException]. */
    fun parse(text: String): PressureFigures {
        var some: Stall? = null
        var full = Stall(0.0, 0)
        eachLine(text) { line ->
            when {
                line.startsWith("some ") -> some = stall(line)
                line.startsWith("full ") -> full = stall(line)
            }
        }
        return PressureFigures(some ?: throw FiguresException("no line 'some' in a pressure file"), full)
    }

    private fun stall(line: String): Stall {
        var average: Double? = null
        var total: Long? = null
        for (field in line.split(' ')) {
            when {
                field.startsWith("avg10=") -> average = percent(field.substring(6))
                field.startsWith("total=") -> total = count(field.substring(6), "total")
            }
        }
        if (average == null || total == null) throw FiguresException("a line of a pressure file lacks avg10 or total")
        return Stall(average, total)
    }

    private fun percent(text: String): Double {
        val value = text.toDoubleOrNull() ?: throw FiguresException("avg10 is no number: ${text.take(40)}")
        if (value !in 0.0..100.0) throw FiguresException("avg10 is no percentage: $value")
        return value / 100
    }
}
