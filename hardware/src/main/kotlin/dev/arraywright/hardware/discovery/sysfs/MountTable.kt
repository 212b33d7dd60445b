package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.tree.MountInfoParser

/**
 * What a [MountTable] is made of; there is no need of another if it is as it was.
 *
 * @property mountinfo as the kernel has it, since it is long and seldom another
 * @property swaps paths, since how much of each is used changes all the time
 * @property pools devices of each file system that is on several, by their kernel names
 */
internal data class MountFacts(
    val mountinfo: String,
    val swaps: List<String>,
    val pools: List<List<String>> = emptyList(),
)

/** Who has file systems and swap on which device. */
internal class MountTable(val facts: MountFacts) {
    private val byNumber = HashMap<String, MutableList<String>>()
    private val bySource = HashMap<String, MutableList<String>>()
    private val swapping = facts.swaps.toHashSet()

    init {
        for (mount in MountInfoParser.parse(facts.mountinfo)) {
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
    fun together(name: String): List<String> =
        if (facts.pools.isEmpty()) emptyList() else facts.pools.filter { name in it }.flatten() - name

    companion object {
        const val SWAP: String = "swap"
    }
}
