package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.SupervisorTrouble
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.seconds

/**
 * Has arrays and spares follow what is plugged in and out. What the machine tells is a rumour: a device in use is failed
 * only if it does not answer either. Each address has a coroutine of its own, so that one that hangs holds up no other.
 */
internal class Plugs(
    private val sight: Sight,
    private val places: Places,
    private val members: Members,
    private val protection: Protection,
    private val events: EventStream,
) {
    /** A look that is wanted, by address; a second wish for the same is one. */
    private val looks = ConcurrentHashMap<StorageAddress, Channel<Unit>>()

    /** Addresses with nothing behind them when something was plugged in last. */
    private val missing = ConcurrentHashMap.newKeySet<StorageAddress>()
    private var late: Job? = null

    /** Until cancelled. What is there at the first look is no news. */
    suspend fun follow(): Unit = coroutineScope {
        var before: Map<DeviceId, HardwareDevice>? = null
        sight.devices.filterNotNull().collect { after ->
            val was = before
            before = after
            if (was != null) for (change in HardwareChange.between(was, after)) heard(change)
        }
    }

    private fun CoroutineScope.heard(change: HardwareChange) {
        val path = change.device.path
        // Before it is asked who is concerned: a name may be made between the two.
        if (change is HardwareChange.Added) missing += protection.known().filter(::lacks)
        val concerned = if (path == null) emptyList() else protection.known().filter { places.leads(it, path) }
        change.toOccurrence(used = concerned.isNotEmpty())?.let(events::emit)
        // A change of who mounts it or what it is called is nothing that an array has to follow.
        if (change is HardwareChange.Changed && SIZE !in change.fields) return
        for (address in concerned) look(address)
        if (change is HardwareChange.Added && missing.isNotEmpty()) lookLater()
    }

    private fun lacks(address: StorageAddress) = places.watches(address) && places.device(address) == null

    /** The names of a disk below /dev/disk are made by udev, some time after the kernel has told of it. */
    private fun CoroutineScope.lookLater() {
        late?.cancel()
        late = launch {
            for (wait in WAITS) {
                delay(wait)
                missing.filterNot(::lacks).filter(missing::remove).forEach { look(it) }
            }
            missing.clear()
        }
    }

    private fun CoroutineScope.look(address: StorageAddress) {
        val wanted = looks.computeIfAbsent(address) {
            Channel<Unit>(Channel.CONFLATED).also { wishes ->
                launch { for (wish in wishes) guarded(address) }
            }
        }
        wanted.trySend(Unit)
    }

    private suspend fun guarded(address: StorageAddress) {
        try {
            follow(address)
        } catch (e: KernelError) {
            events.emit(SupervisorTrouble(Occurrence.KERNEL, "$address is not followed: ${e.message}"))
        }
    }

    /** As it is now, whatever led to it. */
    private suspend fun follow(address: StorageAddress) {
        val present = places.device(address)
        val open = members.device(address)
        val silent = open?.let { silence(it, present != null) }
        if (silent != null) protection.deviceGone(address, silent)
        if (present == null || present.size == 0L) return
        protection.deviceReturned(address.toString())
        protection.arrived(address)
    }

    /** Why a device does not serve; null if it does. One that is [present] and slow is given its time elsewhere. */
    private suspend fun silence(device: AsyncBlockDevice, present: Boolean): String? {
        // From the page cache a read would be answered by nobody.
        if (!present && !device.info().directIo()) return GONE
        val block = ByteBuffer.allocateDirect(device.info().logicalBlockSize())
        return try {
            val answered = withTimeoutOrNull(PATIENCE) {
                device.read(block, 0).await()
                true
            }
            GONE.takeUnless { answered == true || present }
        } catch (_: DeviceIoException.DeviceGoneException) {
            GONE
        } catch (_: DeviceIoException) {
            GONE.takeUnless { present }
        }
    }

    private companion object {
        const val SIZE = "size"
        const val GONE = "it was unplugged"
        val PATIENCE = 5.seconds
        val WAITS = listOf(1.seconds, 2.seconds, 4.seconds, 8.seconds)
    }
}
