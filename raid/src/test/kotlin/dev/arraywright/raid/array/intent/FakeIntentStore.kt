package dev.arraywright.raid.array.intent

import dev.arraywright.spi.device.DeviceIoException
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CompletableDeferred
import java.nio.ByteBuffer
import java.util.BitSet

/** One stable area; [hold] stops writes until it completes, [log] is what was asked of it. */
internal class FakeIntentStore(var hold: CompletableDeferred<Unit>? = null) : IntentStore {
    override var complete = true
    val log = ArrayList<String>()
    val area: ByteBuffer = ByteBuffer.allocate(1024)
    var failure: DeviceIoException? = null

    override suspend fun write(blocks: List<IntentBlock>) {
        log += "write " + blocks.joinToString { "${it.offset}+${it.bytes.size}" }
        hold?.await()
        failure?.let { throw it }
        blocks.forEach(::put)
    }

    override suspend fun flush() {
        log += "flush"
    }

    fun put(block: IntentBlock) {
        area.put(block.offset.toInt(), block.bytes)
    }

    fun read() = BitmapReader.read(area, superblock(), 512).shouldBeInstanceOf<BitmapRead.Usable>()

    val dirty: BitSet get() = read().dirty
}
