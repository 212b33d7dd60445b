package dev.arraywright.raid.simulation

import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceType
import java.nio.ByteBuffer
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import kotlin.random.Random

/**
 * A disk of the simulation. Its platter survives power cuts and is opened anew after each; a write sits in a volatile
 * cache from when it ends until a flush that began later ends. At a power cut each cached sector, and each of a write
 * that had not ended, is on the platter or not, at random.
 */
class SimulatedDisk(val id: String, val size: Long, private val logicalBlock: Int, private val world: World) {
    /** By sector; null is zeroes. */
    private val platter = arrayOfNulls<ByteArray>((size / SECTOR).toInt())

    /** Written, not flushed: oldest first. */
    private val cache = ArrayList<CachedWrite>()
    private val inFlight = LinkedHashSet<CachedWrite>()
    private val badSectors = HashSet<Int>()
    private var connection: Connection? = null

    /** Answers nothing any more, until the next power cut. */
    var gone: Boolean = false

    /** Each write takes this long at least, so that its deadline passes; 0 is healthy. */
    var hangWrites: Boolean = false
    var hangReads: Int = 0

    /** Writes and flushes fail. */
    var failWrites: Boolean = false

    /** Nanoseconds that each read takes longer than usual. */
    var slowness: Long = 0

    /** True if it does what it is asked, sooner or later. */
    val well: Boolean get() = !gone && !hangWrites && !failWrites && hangReads == 0 && badSectors.isEmpty()

    /** Bytes that were asked of it so far. */
    var bytesRead: Long = 0
        private set
    var bytesWritten: Long = 0
        private set

    /** Changes bytes behind everybody's back. */
    fun scribble(offset: Long, bytes: ByteArray) {
        require(offset % SECTOR == 0L && bytes.size % SECTOR == 0) { "whole sectors only" }
        for (i in 0 until bytes.size / SECTOR) {
            val sector = (offset / SECTOR).toInt() + i
            platter[sector] = bytes.copyOfRange(i * SECTOR, (i + 1) * SECTOR)
            newest.remove(sector)
        }
    }

    /** How many sectors cannot be read now. */
    val bad: Int get() = badSectors.size

    fun open(): AsyncBlockDevice = Connection().also { connection = it }

    /** Plugged in again, and well. */
    fun reopen(): AsyncBlockDevice {
        recover()
        return reconnect()
    }

    /** A new connection: nothing that was asked over the old one has an effect any more. */
    fun reconnect(): AsyncBlockDevice {
        connection?.dead = true
        inFlight.clear()
        return open()
    }

    /** Nothing tells any more what it was used for, but what it holds from [offset] on is still there. */
    fun wipe(offset: Long) {
        connection?.dead = true
        for (write in cache) for (i in 0 until write.sectors) write.keep(i)
        cache.clear()
        inFlight.clear()
        newest.clear()
        platter.fill(null, 0, (offset / SECTOR).toInt())
    }

    /** Makes sectors of a range unreadable until they are written. */
    fun spoil(offset: Long, length: Long) {
        for (sector in offset / SECTOR until (offset + length) / SECTOR) badSectors.add(sector.toInt())
    }

    /** Random bytes from [offset] on, as on a disk that was used before. */
    fun fill(offset: Long, random: Random) {
        for (sector in offset / SECTOR until size / SECTOR) platter[sector.toInt()] = random.nextBytes(SECTOR)
    }

    /** Its bad sectors were remapped, and it answers reads in time. */
    fun cure() {
        badSectors.clear()
        hangReads = 0
    }

    /** Whatever was wrong with it is not any more. */
    fun recover() {
        cure()
        gone = false
        hangWrites = false
        failWrites = false
        slowness = 0
    }

    fun powerCut(random: Random) {
        connection?.dead = true
        for (write in cache + inFlight) for (i in 0 until write.sectors) if (random.nextBoolean()) write.keep(i)
        cache.clear()
        inFlight.clear()
        newest.clear()
        recover()
    }

    /** What a read gives now, without its latency and failures. */
    fun peek(offset: Long, length: Int): ByteArray = ByteArray(length).also { copyOut(offset, ByteBuffer.wrap(it)) }

    private fun copyOut(offset: Long, target: ByteBuffer) {
        var sector = (offset / SECTOR).toInt()
        while (target.hasRemaining()) target.put(newest[sector] ?: platter[sector] ?: ZEROES).also { sector++ }
    }

    /** The cache's view of each sector. */
    private val newest = HashMap<Int, ByteArray>()

    private inner class CachedWrite(offset: Long, source: ByteBuffer) {
        private val first = (offset / SECTOR).toInt()
        private val bytes = ByteArray(source.remaining()).also { source.get(it) }
        val sectors = bytes.size / SECTOR

        private fun sector(i: Int) = bytes.copyOfRange(i * SECTOR, (i + 1) * SECTOR)

        fun show() = (0 until sectors).forEach {
            newest[first + it] = sector(it)
            badSectors.remove(first + it)
        }

        fun keep(i: Int) {
            platter[first + i] = sector(i)
        }
    }

    private inner class Connection : AsyncBlockDevice {
        var dead = false
        private val info =
            DeviceInfo(id, "simulated", id, DeviceType.OTHER, -1, size, logicalBlock, logicalBlock, false, true)

        override fun info() = info

        override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
            info.checkRange(offset, target.remaining().toLong())
            val own = target.duplicate()
            bytesRead += own.remaining()
            val hangs = hangReads > 0
            if (hangs) hangReads--
            return start(hangs, slow = slowness) { late ->
                // The buffer was the disk's until now, and shows it.
                if (late) own.put(ByteArray(own.remaining()) { 0x66 })
                if (late) throw TimedOutException(id, Duration.ofNanos(HANG))
                val range = offset / SECTOR until (offset + own.remaining()) / SECTOR
                range.firstOrNull {
                    it.toInt() in badSectors
                }?.let { throw MediumErrorException(id, it * SECTOR, SECTOR.toLong(), null) }
                copyOut(offset, own)
            }
        }

        override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
            info.checkRange(offset, source.remaining().toLong())
            // The bytes count at the end: a caller that touches its buffer before is found out.
            val own = source.duplicate()
            val torn = CachedWrite(offset, source.duplicate())
            bytesWritten += own.remaining()
            inFlight.add(torn)
            return start(hangWrites, { inFlight.remove(torn) }) { late ->
                if (failWrites) throw MediumErrorException(id, offset, own.remaining().toLong(), null)
                val write = CachedWrite(offset, own)
                cache.add(write)
                write.show()
                if (late) throw TimedOutException(id, Duration.ofNanos(HANG))
            }
        }

        override fun flush(): CompletionStage<Void> {
            val covered = cache.toList()
            return start(hangWrites) { late ->
                if (failWrites) throw MediumErrorException(id, 0, size, null)
                if (late) throw TimedOutException(id, Duration.ofNanos(HANG))
                for (write in covered) if (cache.remove(write)) (0 until write.sectors).forEach(write::keep)
            }
        }

        override fun discard(offset: Long, length: Long): CompletionStage<Void> = writeZeroes(offset, length)

        override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> =
            write(ByteBuffer.allocate(length.toInt()), offset)

        override fun isOnline() = !dead && !gone

        override fun close() {
            dead = true
        }

        /** After a power cut nothing has an effect any more. */
        private fun start(
            hangs: Boolean,
            always: () -> Unit = {},
            slow: Long = 0,
            action: (Boolean) -> Unit,
        ): CompletionStage<Void> {
            val stage = CompletableFuture<Void>()
            world.later(if (hangs) HANG else slow) {
                always()
                try {
                    if (dead) throw DeviceGoneException(id, "closed", null)
                    if (gone) throw DeviceGoneException(id, "unplugged", null)
                    action(hangs)
                    stage.complete(null)
                } catch (failure: DeviceIoException) {
                    stage.completeExceptionally(failure)
                }
            }
            return stage
        }
    }

    /** Passing of time, as the disks need it. */
    interface World {
        /** Runs [action] after a latency of the disk's kind plus [extra] nanoseconds. */
        fun later(extra: Long, action: () -> Unit)
    }

    companion object {
        const val SECTOR = 512
        private const val HANG = 2_000_000_000L
        private val ZEROES = ByteArray(SECTOR)
    }
}
