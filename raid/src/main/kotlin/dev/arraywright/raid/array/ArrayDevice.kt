package dev.arraywright.raid.array

import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceType
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** An array as a device with blocks of one byte; calls run in the array's [scope]. */
internal class ArrayDevice(private val array: RaidArray, private val scope: CoroutineScope) : AsyncBlockDevice {
    private val info = DeviceInfo(
        array.id,
        "Arraywright ${array.geometry.level()}",
        array.uuid.toString(),
        DeviceType.VIRTUAL,
        -1,
        array.size,
        1,
        array.blockSize,
        false,
        true,
    )

    @Volatile
    private var closed = false

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        info.checkRange(offset, target.remaining().toLong())
        val own = target.duplicate()
        return start { array.read(own, offset) }
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        info.checkRange(offset, source.remaining().toLong())
        val own = source.duplicate()
        return start { array.write(own, offset) }
    }

    override fun flush(): CompletionStage<Void> = start { array.flush() }

    override fun discard(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return start { array.discard(offset, length) }
    }

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return start { array.writeZeroes(offset, length) }
    }

    override fun health(): DeviceHealth = array.state.value.let { state ->
        when (state.phase) {
            ArrayPhase.Healthy, is ArrayPhase.Resyncing -> DeviceHealth.GOOD
            is ArrayPhase.Degraded, is ArrayPhase.Rebuilding ->
                DeviceHealth(DeviceHealth.Status.WARNING, "${state.missing} of ${state.slots.size} members missing")
            is ArrayPhase.Failed -> DeviceHealth(DeviceHealth.Status.FAILED, state.failure.orEmpty())
            ArrayPhase.Stopped -> DeviceHealth(DeviceHealth.Status.FAILED, "stopped")
        }
    }

    override fun isOnline(): Boolean = !closed && !array.state.value.stopped

    override fun close() {
        closed = true
    }

    /** The stage ends with the coroutine, so that the buffer is the array's until then. */
    private fun start(action: suspend () -> Unit): CompletionStage<Void> {
        val stage = CompletableFuture<Void>()
        if (closed)
            stage.completeExceptionally(DeviceGoneException(info.id(), "closed", null))
        else
            scope.async { action() }.invokeOnCompletion { failure ->
                when (failure) {
                    null -> stage.complete(null)
                    is CancellationException ->
                        stage.completeExceptionally(DeviceGoneException(info.id(), "the array was stopped", failure))
                    else -> stage.completeExceptionally(failure)
                }
            }
        return stage
    }
}
