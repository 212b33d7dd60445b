package dev.arraywright.hardware.tree

/**
 * A line of `/proc/PID/mountinfo`.
 *
 * @property number the file system's device, as "major:minor"; of major 0 where the kernel made it up
 * @property root what of the file system is seen at [point]
 * @property options of this mount
 * @property source a device's path, or any word where there is none
 * @property superOptions of the file system, wherever it is mounted
 */
internal data class Mount(
    val number: String,
    val root: String,
    val point: String,
    val options: List<String>,
    val type: String,
    val source: String,
    val superOptions: List<String>,
) {
    /** Whether the file at [path] is on it, if none is mounted further down. */
    fun holds(path: String): Boolean = point == "/" || path == point || path.startsWith("$point/")

    /** The value of the file system's option [name]. */
    fun superOption(name: String): String? = superOptions.firstOrNull { it.startsWith("$name=") }?.substringAfter('=')
}

/** Proc(5)'s `mountinfo`, for all who need it. Lines of another form are left out, so nothing here throws. */
internal object MountInfoParser {
    /** Of this process; none if the kernel does not show them. */
    fun own(proc: SystemTree): List<Mount> = parse(proc.raw("self/mountinfo").orEmpty())

    /** `36 35 98:0 /root /mount/point options [tag[:value]...] - type source superOptions`, one a line. */
    fun parse(text: String): List<Mount> = text.split('\n').mapNotNull(::mount)

    private fun mount(line: String): Mount? {
        // A source without a name is an empty field, so that no blank may be skipped.
        val fields = line.split(' ')
        if (fields.size < SHORTEST || !isNumber(fields[2])) return null
        var hyphen = FIXED
        while (hyphen < fields.size && fields[hyphen] != "-") hyphen++
        if (hyphen + 2 >= fields.size) return null
        return Mount(
            number = fields[2],
            root = unescaped(fields[3]),
            point = unescaped(fields[4]),
            options = options(fields[5]),
            type = unescaped(fields[hyphen + 1]),
            source = unescaped(fields[hyphen + 2]),
            superOptions = fields.getOrNull(hyphen + 3)?.let(::options).orEmpty(),
        )
    }

    private fun isNumber(text: String): Boolean {
        val colon = text.indexOf(':')
        return colon > 0 && colon < text.length - 1 && text.indices.all { it == colon || text[it] in '0'..'9' }
    }

    /** A comma within an option is escaped, so they are parted first. */
    private fun options(field: String): List<String> = field.split(',').map(::unescaped)

    /** Fields before those that are optional. */
    private const val FIXED = 6

    /** Those, the hyphen, a type and a source. */
    private const val SHORTEST = FIXED + 3
}

/** Proc(5)'s `swaps`. Lines of another form are left out, as its heading is. */
internal object SwapsParser {
    /** `/dev/dm-1 partition 8388604 0 -2`, one a line: the paths. */
    fun parse(text: String): List<String> = text.split('\n').mapNotNull { line ->
        val fields = line.split(' ', '\t').filter { it.isNotEmpty() }
        if (fields.size < 5 || !fields[0].startsWith('/')) null else unescaped(fields[0])
    }
}

/**
 * A field of one of proc's tables as it was before the kernel wrote what would part it from the next as `\040` and the
 * like: bytes, which are UTF-8 together with those around them.
 */
internal fun unescaped(field: String): String {
    if ('\\' !in field) return field
    val bytes = field.encodeToByteArray()
    val result = ByteArray(bytes.size)
    var (from, to) = 0 to 0
    while (from < bytes.size) {
        val value = if (bytes[from] == '\\'.code.toByte()) octal(bytes, from + 1) else -1
        result[to++] = if (value < 0) bytes[from] else value.toByte()
        from += if (value < 0) 1 else 4
    }
    return result.decodeToString(0, to)
}

private fun octal(bytes: ByteArray, from: Int): Int {
    if (from + 3 > bytes.size) return -1
    var value = 0
    for (i in from until from + 3) {
        val digit = bytes[i] - '0'.code.toByte()
        if (digit !in 0..7) return -1
        value = value * 8 + digit
    }
    return value.takeIf { it <= 0xff } ?: -1
}
