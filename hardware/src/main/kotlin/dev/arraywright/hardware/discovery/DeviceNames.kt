package dev.arraywright.hardware.discovery

/** How names are made of what devices say of themselves. */
internal object DeviceNames {
    /** A world-wide name worth the word; null for none, and for the zeros that some devices say. */
    fun wwid(text: String?): String? {
        val name = text?.let(::joined)?.ifEmpty { null } ?: return null
        val body = SCHEMES.firstOrNull {
            name.startsWith(it, ignoreCase = true)
        }?.let { name.substring(it.length) } ?: name
        return name.takeUnless { body.all { it in "0.-_" } || body.all { it in "fF.-_" } }
    }

    /** A serial number worth the word. */
    fun serial(text: String?): String? =
        text?.trim { it <= ' ' }?.takeUnless { it.isEmpty() || it.all { c -> c == '0' } || it.lowercase() in NONE }

    /** A serial number is unique for its model only. */
    fun modelSerial(model: String?, serial: String): String =
        joined(if (model.isNullOrEmpty()) serial else "$model-$serial")

    /** White space and what is no character replaced, so that it is one word. */
    fun joined(text: String): String {
        if (text.all { it in '!'..'~' }) return text
        val result = StringBuilder(text.length)
        var gap = false
        for (c in text.trim { it <= ' ' }) {
            val space = c.isWhitespace() || c.isISOControl()
            if (!space)
                result.append(c)
            else if (!gap)
                result.append('_')
            gap = space
        }
        return result.toString()
    }

    private val SCHEMES = listOf("naa.", "eui.", "nvme.", "t10.", "uuid.", "0x")
    private val NONE = setOf("none", "n/a", "unknown", "default string", "to be filled by o.e.m.")
}
