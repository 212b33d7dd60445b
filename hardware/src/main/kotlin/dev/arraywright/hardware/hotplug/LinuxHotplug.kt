package dev.arraywright.hardware.hotplug

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException

/**
 * Uevents, and the kernel's word that mounts or swaps have changed. To make one throws [PosixException] if there are no
 * uevents.
 */
internal class LinuxHotplug(
    private val poller: Poller,
    subsystems: Set<String>,
    buffer: Int = NetlinkUevents.BUFFER,
    private val proc: String = "/proc",
) : Hotplug {
    private val uevents = NetlinkUevents(poller, subsystems, buffer)
    private val tables = ArrayList<AutoCloseable>()

    override val name: String get() = uevents.name

    override fun start(sink: (Signal) -> Unit) {
        for (table in listOf("self/mountinfo", "swaps")) {
            try {
                watch("$proc/$table", sink)
            } catch (_: PosixException) {
                continue // the safety net catches its changes
            }
        }
        uevents.start(sink)
    }

    override fun close() {
        uevents.close()
        synchronized(tables) {
            for (table in tables) table.close()
            tables.clear()
        }
    }

    /** proc(5): such a table is exceptional once after each change. */
    private fun watch(path: String, sink: (Signal) -> Unit) {
        val table = Descriptor.open(path, Posix.O_RDONLY)
        synchronized(tables) { tables += table }
        val watch = poller.watch(table, Epoll.EPOLLPRI or Epoll.EPOLLERR) { sink(Signal.Mounts) }
        synchronized(tables) { tables.add(0, watch) }
    }
}
