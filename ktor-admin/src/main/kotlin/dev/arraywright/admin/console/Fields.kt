package dev.arraywright.admin.console

/** Names and values one below the other, in the way of [DetailText]; what is null is left out. */
internal object Fields {
    fun of(fields: List<Pair<String, String?>>): String {
        val known = fields.filter { it.second != null }
        val width = known.maxOfOrNull { it.first.length } ?: 0
        return known.joinToString("\n") { (name, value) -> "  ${name.padStart(width)} : $value" }
    }
}
