package dev.arraywright.hardware.discovery.sysfs

/** A line of `/proc/self/mountinfo`. [source] is a device's path, or any word where there is none. */
internal data class Mount(val number: String, val point: String, val type: String, val source: String)

/** Reads proc(5)'s `mountinfo` and `swaps`, whose fields have white space and backslashes as octal escapes. */
internal object MountParser {
    /** `36 35 98:0 /root /mount/point options tags... - type source options`; null for what is no such line. */
    fun mount(line: String): Mount? {
        val fields = line.split(' ')
        val end = fields.indexOf("-")
        if (end < 6 || fields.size < end + 3) return null
        val number = fields[2]
        val colon = number.indexOf(':')
        if (colon < 1 || colon == number.length - 1 || !number.all { it in '0'..'9' || it == ':' }) return null
        return Mount(number, unescaped(fields[4]), fields[end + 1], unescaped(fields[end + 2]))
    }

    /** `/dev/dm-1 partition 8388604 0 -2`: the path; null for the heading and what is no such line. */
    fun swap(line: String): String? {
        val fields = line.split(' ', '\t').filter { it.isNotEmpty() }
        return if (fields.size < 5 || !fields[0].startsWith('/')) null else unescaped(fields[0])
    }

    /** `\040` and the like as the bytes they stand for, which are UTF-8 with the others. */
    fun unescaped(text: String): String {
        if ('\\' !in text) return text
        val bytes = text.encodeToByteArray()
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
}

/** Who has file systems and swap on which device. */
internal class MountTable(
    lines: List<String>,
    swaps: List<String>,
    private val pools: List<List<String>> = emptyList(),
) {
    /** All that it was made of. */
    val lines: List<List<String>> = listOf(lines, swaps) + pools

    private val byNumber = HashMap<String, MutableList<String>>()
    private val bySource = HashMap<String, MutableList<String>>()
    private val swapping = swaps.mapNotNullTo(HashSet(), MountParser::swap)

    init {
        for (line in lines) {
            val mount = MountParser.mount(line) ?: continue
            // a file system with a number of its own, such as btrfs, is on its source
            if (!mount.number.startsWith("0:"))
                byNumber.getOrPut(mount.number, ::ArrayList) += mount.point
            else if (mount.source.startsWith("/dev/"))
                bySource.getOrPut(mount.source, ::ArrayList) += mount.point
        }
    }

    /** Mount points in the order of mounting, then `swap`. */
    fun of(node: Node): List<String> {
        val own = node.number?.let(byNumber::get).orEmpty()
        if (bySource.isEmpty() && swapping.isEmpty()) return own
        val paths = node.specials
        val all = own + paths.flatMap { bySource[it].orEmpty() }
        return if (paths.any(swapping::contains)) all + SWAP else all
    }

    /** The devices of each file system that is on several, by their kernel names. */
    fun together(
        name: String,
    ): List<String> = if (pools.isEmpty()) emptyList() else pools.filter { name in it }.flatten() - name

    companion object {
        const val SWAP: String = "swap"
    }
}
