package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.random.Random

/** Threads that write, read and compare at random, each in its own part of [device]; none may ever see a failure. */
internal class Writers(private val device: BlockDevice, seed: Int, threads: Int) {
    private val part = (device.info().size() / threads).toInt()
    private val ledger = ByteArray(device.info().size().toInt())
    private val calls = AtomicInteger()

    @Volatile private var stopped = false

    /** What went wrong; empty is right. */
    val failures = ConcurrentLinkedQueue<String>()

    private val running = List(threads) { number ->
        thread(name = "writer $number") {
            val random = Random(seed * 31 + number)
            try {
                while (!stopped && failures.isEmpty()) step(random, number * part)
            } catch (e: Exception) {
                failures += "$e at ${e.stackTrace.firstOrNull()}"
            }
        }
    }

    /** Ends them and returns what the device has to hold. */
    fun end(): ByteArray {
        stopped = true
        running.forEach(Thread::join)
        return ledger
    }

    /** Calls done so far. */
    fun calls(): Int = calls.get()

    private fun step(random: Random, from: Int) {
        val blocks = part / Store.BLOCK
        val first = random.nextInt(blocks)
        val length = random.nextInt(1, minOf(blocks - first, 4) + 1) * Store.BLOCK
        val at = from + first * Store.BLOCK
        when (random.nextInt(10)) {
            in 0..3 -> {
                random.nextBytes(ledger, at, at + length)
                device.write(ByteBuffer.wrap(ledger, at, length), at.toLong())
            }
            4 -> {
                ledger.fill(0, at, at + length)
                device.writeZeroes(at.toLong(), length.toLong())
            }
            5 -> device.flush()
            6 -> if (!device.isOnline) failures += "it is not online"
            else -> {
                val seen = ByteArray(length)
                device.read(ByteBuffer.wrap(seen), at.toLong())
                if (!seen.contentEquals(ledger.copyOfRange(at, at + length))) failures += "lost bytes at $at"
            }
        }
        calls.incrementAndGet()
    }
}
