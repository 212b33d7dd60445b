package dev.arraywright.admin.console

/** Rows in columns as wide as their widest cell; the first row is the heading. The last column may be of any width. */
internal object Table {
    fun of(heading: List<String>, rows: List<List<String>>): String {
        val all = listOf(heading) + rows
        val widths = (0 until heading.lastIndex).map { column -> all.maxOf { it[column].length } }
        return all.joinToString("\n") { row ->
            "  " + row.mapIndexed { i, cell -> if (i < widths.size) cell.padEnd(widths[i]) else cell }
                .joinToString("  ").trimEnd()
        }
    }
}
