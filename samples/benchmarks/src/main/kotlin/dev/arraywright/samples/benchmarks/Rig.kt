package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.samples.benchmarks.device.Shelf
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext

/** Arrays on as many threads as the kernel gives them, and clients on the same. */
internal class Rig(private val options: Options, private val shelf: Shelf) {
    private val job: Job = SupervisorJob()
    val arrays = Arrays(ArrayRuntime(engine + job, buffers = Pool(shelf)))

    /** A new array of all zeroes, in sync. */
    suspend fun create(
        members: List<AsyncBlockDevice> = shelf.devices.take(options.members),
        bitmapChunk: Int? = null,
    ): RaidArray {
        val spec = CreateSpec(
            "benchmark",
            options.level,
            options.chunk,
            assumeClean = true,
            force = true,
            bitmapChunk = bitmapChunk,
        )
        return arrays.create(spec, members)
    }

    /** Ends all its arrays where they are, as a crash does; devices stay. */
    suspend fun crash() {
        job.cancelAndJoin()
    }

    private class Pool(shelf: Shelf) : BufferAllocator by shelf.buffers

    companion object {
        val engine: CoroutineDispatcher =
            Dispatchers.IO.limitedParallelism(Runtime.getRuntime().availableProcessors(), "arraywright")
    }
}

/** Takes a member out of its slot, so that the array is degraded and nothing fills it. */
internal suspend fun RaidArray.degrade(device: AsyncBlockDevice) {
    autoFailover = false
    fail(device.info().id())
    remove(device.info().id())
}

/** Has [device] take the empty slot; its rebuild begins. */
internal suspend fun RaidArray.beginRebuild(device: AsyncBlockDevice) {
    val before = repair.rebuild.value?.id
    add(device, force = true)
    val slot = state.value.slots.first { it.deviceId == null || it.deviceId == device.info().id() }
    if (slot.deviceId == null) rebuild(slot.slot, device.info().id())
    repair.rebuild.first { it != null && it.id != before }
}

/** Ends the rebuild, if it goes on, and takes its device out again. */
internal suspend fun RaidArray.callOffRebuild(device: AsyncBlockDevice) {
    val status = repair.rebuild.value ?: return
    if (!status.phase.terminal) repair.cancel(status.id)
    repair.rebuild.first { it!!.phase.terminal }
    if (device.info().id() in state.value.spares) remove(device.info().id()) else degrade(device)
}

/** Runs a measurement where arrays and their clients run. */
internal suspend fun <T> measured(action: suspend () -> T): T = withContext(Rig.engine) { action() }
