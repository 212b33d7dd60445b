package dev.arraywright.hardware.numa

/**
 * What a node's `meminfo` says, in bytes.
 *
 * @property reclaimable page cache that was not used of late, which the kernel gives up when it wants memory there
 */
internal data class NodeMemory(val total: Long, val free: Long, val reclaimable: Long) {
    companion object {
        /** From lines such as `Node 0 MemFree:  13380240 kB`; lines of other forms are skipped, what is missing is 0. */
        fun parse(lines: List<String>): NodeMemory {
            var total = 0L
            var free = 0L
            var reclaimable = 0L
            for (line in lines) {
                val words = line.split(' ').filter(String::isNotEmpty)
                if (words.size != 5 || words[0] != "Node" || words[4] != "kB") continue
                val bytes = words[3].toLongOrNull()?.takeIf { it in 0..Long.MAX_VALUE / 1024 }?.times(1024) ?: continue
                when (words[2]) {
                    "MemTotal:" -> total = bytes
                    "MemFree:" -> free = bytes
                    "Inactive(file):" -> reclaimable = bytes
                }
            }
            return NodeMemory(total, free, reclaimable)
        }
    }
}
