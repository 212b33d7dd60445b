package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.NumaCalls

/**
 * The wish that memory which is mapped now and used later lies on [node]. What cannot be granted is let go: memory
 * elsewhere is slower, not wrong. Thread-safe.
 */
internal class NodePreference private constructor(private val node: Int, absence: String?) {
    /** Why memory is not bound to the node; null if nothing spoke against it so far. */
    @Volatile
    var absence: String? = absence
        private set

    /** Asks for it. To be called before the memory is used for the first time. */
    fun apply(address: Long, bytes: Long) {
        if (absence != null) return
        val refused = -NumaCalls.prefer(address, bytes, node)
        if (refused > 0) absence = refusal(node, refused)
    }

    companion object {
        private val topology by lazy { NumaTopology.of() }

        /** Any node will do. */
        val NONE: NodePreference = NodePreference(-1, "no node is wished for")

        /** For [node]; a negative one stands for none. */
        fun of(node: Int): NodePreference =
            when {
                node < 0 -> NONE
                topology == null -> NodePreference(node, NumaTopology.absence() ?: "the machine has one NUMA node")
                topology?.node(node) == null -> NodePreference(node, "node $node is not online")
                else -> NodePreference(node, null)
            }
    }
}
