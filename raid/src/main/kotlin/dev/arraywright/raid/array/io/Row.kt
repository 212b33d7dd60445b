package dev.arraywright.raid.array.io

import dev.arraywright.raid.layout.Geometry
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import java.nio.ByteBuffer

/**
 * A parity stripe's columns [from] until [until] in memory: one strip for each slot, side by side in [block] from
 * [base] there. Shards count as at [Geometry.shard].
 */
internal class Row(
    private val engine: Engine,
    val view: View,
    val stripe: Long,
    val from: Int,
    val until: Int,
    private val block: Block,
    private val base: Int = 0,
) {
    private val geometry = engine.geometry
    private val known = BooleanArray(geometry.members())
    val width: Int = until - from

    /** What could not be read, by slot. */
    val failures: MutableMap<Int, DeviceIoException> = LinkedHashMap()

    fun slot(shard: Int): Int {
        val d = geometry.dataChunks()
        return if (shard < d)
            geometry.dataSlot(
                stripe,
                shard,
            )
        else
            (geometry.p(stripe) + shard - d) % geometry.members()
    }

    /** Columns [a] until [b] of a shard's strip. */
    fun strip(shard: Int, a: Int = from, b: Int = until): ByteBuffer = block.slice(at(shard, a), b - a)

    fun data(a: Int = from, b: Int = until): Array<ByteBuffer> = Array(geometry.dataChunks()) { strip(it, a, b) }

    fun p(a: Int = from, b: Int = until): ByteBuffer = strip(geometry.dataChunks(), a, b)

    fun q(a: Int = from, b: Int = until): ByteBuffer? =
        if (geometry.level().parities() == 2) strip(geometry.dataChunks() + 1, a, b) else null

    fun isKnown(shard: Int): Boolean = known[shard]

    fun setKnown(shard: Int) {
        known[shard] = true
    }

    /** True if the shard can be read from its member, as far as is known. */
    fun readable(shard: Int): Boolean = slot(shard) !in failures && member(shard) != null

    /** Reads the columns of the shards from their members; false if any failed, see [failures]. */
    suspend fun load(shards: List<Int>, a: Int = from, b: Int = until): Boolean {
        val calls = shards.map { shard ->
            MemberCall(slot(shard), member(shard)!!) { it.read(block, at(shard, a), b - a, offset(a)) }
        }
        val failed = callAll(calls)
        if (failed.values.any { it is TimedOutException }) block.renew()
        for ((slot, failure) in failed) {
            failures[slot] = failure
            engine.readFailed(view.members[slot]!!, failure)
        }
        for (shard in shards) if (slot(shard) !in failed) known[shard] = true
        return failed.isEmpty()
    }

    /** Reads just the blocks of the touches; for a read that nothing else is calculated from. */
    suspend fun loadOnly(touches: List<Touch>): Boolean {
        val failed = callAll(
            touches.map { touch ->
                val a = touch.from.alignDown(engine.blockSize)
                val b = touch.until.alignUp(engine.blockSize)
                MemberCall(slot(touch.index), member(touch.index)!!) {
                    it.read(block, at(touch.index, a), b - a, offset(a))
                }
            },
        )
        for ((slot, failure) in failed) engine.readFailed(view.members[slot]!!, failure)
        return failed.isEmpty()
    }

    /**
     * Has all shards in memory, the missing ones by calculation, or throws: then they cannot be had.
     * [notFrom] is not read; with [aroundSlow] neither are members that missed a deadline, if it goes without them, and
     * with [fewest] neither is Q where P alone gives what is missing.
     */
    suspend fun complete(notFrom: Int = -1, aroundSlow: Boolean = false, fewest: Boolean = false) {
        val rest = (0 until geometry.members()).filter { it != notFrom && !known[it] && readable(it) }
        val (slow, prompt) = rest.partition { aroundSlow && slow(it) }
        val spared = if (fewest) prompt.filter { it > geometry.dataChunks() } else emptyList()
        load(prompt - spared.toSet())
        for (more in listOf(spared, slow)) if (missing().size > geometry.level().parities()) load(more)
        val missing = missing()
        if (missing.size > geometry.level().parities()) throw lost(missing.first())
        if (missing.isNotEmpty()) engine.parity.recover(data(), p(), q(), *missing.toIntArray())
        known.fill(true)
    }

    /** True if the shard's member is there, but missed a deadline lately. */
    fun slow(shard: Int): Boolean = member(shard)?.let { it.misses > 0 } ?: false

    private fun missing(): List<Int> = (0 until geometry.members()).filter { !known[it] }

    /** Calculates P and Q of all the data in memory. */
    fun encode() {
        val q = q()
        if (q == null) engine.parity.xor(p(), data()) else engine.parity.pq(p(), q, data())
        for (shard in geometry.dataChunks() until geometry.members()) known[shard] = true
    }

    /** A write of a shard's columns, if a member takes it. */
    fun store(shard: Int, a: Int = from, b: Int = until): MemberCall? =
        view.writable(slot(shard))?.let { member ->
            MemberCall(slot(shard), member) { it.write(block, at(shard, a), b - a, offset(a)) }
        }

    /** A write of a shard's columns to who is filled beside its member. */
    fun storeBeside(shard: Int): MemberCall? =
        view.besideOnly(slot(shard)) { it.write(block, at(shard, from), width, offset(from)) }

    /** Writes of every strip that could not be read, whatever the reason. */
    fun rewrites(): List<MemberCall> = (0 until geometry.members()).filter {
        slot(it) in failures
    }.mapNotNull { store(it) }

    /** Writes of the strips that had medium errors and are known now. */
    fun cures(): List<MemberCall> =
        if (view.state.failure != null)
            emptyList()
        else
            (0 until geometry.members()).filter {
                failures[slot(it)]?.curable == true && known[it]
            }.mapNotNull { store(it) }

    fun lost(shard: Int): DeviceIoException {
        val chunk = if (shard < geometry.dataChunks()) shard else 0
        val start = stripe * geometry.stripeBytes() + chunk.toLong() * geometry.unit() + from
        return engine.unreadable(start, width, failures.values.firstOrNull())
    }

    private fun member(shard: Int): Member? = view.readable(
        slot(shard),
        geometry.memberOffset(stripe) + geometry.unit(),
    )

    private fun at(shard: Int, column: Int): Int = base + shard * width + column - from

    private fun offset(column: Int): Long = geometry.memberOffset(stripe) + column
}
