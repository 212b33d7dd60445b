package dev.arraywright.hardware.hotplug

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Netlink
import dev.arraywright.hardware.linux.NetlinkReceiver
import dev.arraywright.hardware.linux.Poller

/**
 * The kernel's uevents, of the subsystems that are asked for, as signals. Everybody may send to the kernel's group who
 * may send at all, so only what the kernel itself sent is believed.
 *
 * @param buffer bytes of messages that the kernel keeps for us; what does not fit is told as [Signal.Lost]
 */
internal class NetlinkUevents(
    private val poller: Poller,
    private val subsystems: Set<String>,
    buffer: Int = BUFFER,
) : Hotplug {
    private val socket: Descriptor = Netlink.uevents(buffer)
    private val receiver = NetlinkReceiver(socket, UeventParser.LIMIT.toLong())
    private var watch: AutoCloseable? = null
    private var closed = false

    override val name: String = "uevents"

    override fun start(sink: (Signal) -> Unit) {
        watch = poller.watch(socket, Epoll.EPOLLIN) { receive(sink) }
        // what came before the watch would not be told by it
        receive(sink)
    }

    /** Waits for a message that is being received. */
    override fun close() {
        watch?.close()
        synchronized(this) {
            if (closed) return
            closed = true
            socket.close()
            receiver.close()
        }
    }

    @Synchronized
    private fun receive(sink: (Signal) -> Unit) {
        while (!closed) {
            val length = receiver.receive()
            when {
                length >= 0 -> signals(length).forEach(sink)
                length == -Errno.ENOBUFS.toLong() -> sink(Signal.Lost)
                else -> return
            }
        }
    }

    private fun signals(length: Long): List<Signal> {
        if (receiver.sender != 0) return listOf(Signal.Forged)
        if (receiver.truncated) return listOf(Signal.Lost)
        val event = try {
            UeventParser.parse(receiver.message(length))
        } catch (_: UeventException) {
            return listOf(Signal.Lost) // the kernel spoke, and it is not known of what
        }
        if (event.subsystem !in subsystems) return emptyList()
        // where a device has moved, it is gone from its old path
        return listOfNotNull(event.path, event.variables["DEVPATH_OLD"]).map { Signal.Device(it.removePrefix("/")) }
    }

    companion object {
        /** Thousands of messages, as when a shelf of disks is switched on. */
        const val BUFFER: Int = 8 shl 20
    }
}
