package dev.arraywright.hardware.platform.facts

/**
 * What `/proc/cpuinfo` says of the processors: what the kernel found and uses.
 *
 * @property processors how many are online
 * @property flags what all of them have: `flags` on x86, `Features` on ARM, `isa` on RISC-V
 */
internal data class CpuInfo(
    val vendor: String?,
    val model: String?,
    val processors: Int,
    val flags: Set<String>,
    val hasFlags: Boolean,
)

/** Any text is a cpuinfo: what it does not say is absent. */
internal object CpuInfoParser {
    private val FLAGS = setOf("flags", "features", "isa")
    private val VENDOR = setOf("vendor_id", "cpu implementer", "mvendorid")
    private val MODEL = setOf("model name", "cpu", "model", "hardware", "uarch")

    fun parse(text: String): CpuInfo {
        val first = HashMap<String, String>()
        var processors = 0
        var flags: Set<String>? = null
        var before: String? = null
        for (line in text.lineSequence()) {
            val colon = line.indexOf(':')
            if (colon < 0) continue
            val key = line.substring(0, colon).trim().lowercase()
            val value = line.substring(colon + 1).trim()
            when (key) {
                "processor" -> processors++
                in FLAGS -> if (value != before) {
                    before = value
                    val names = value.split(if (key == "isa") '_' else ' ')
                    val own = names.filterTo(LinkedHashSet(), String::isNotEmpty)
                    // The cores of a processor may differ; what only some have, none can count on.
                    flags = flags?.intersect(own) ?: own
                }
                else -> if (value.isNotEmpty()) first.putIfAbsent(key, value)
            }
        }
        return CpuInfo(
            VENDOR.firstNotNullOfOrNull(first::get),
            MODEL.firstNotNullOfOrNull(first::get),
            processors,
            flags.orEmpty(),
            flags != null,
        )
    }
}
