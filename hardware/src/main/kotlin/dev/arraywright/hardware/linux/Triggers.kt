package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_LONG

/**
 * The kernel's ways to be woken by memory pressure. What is returned is to be watched by a [Poller] and is the caller's
 * to close, which disarms it. All throw [PosixException].
 */
internal object Triggers {
    private const val O_WRONLY = 1
    private const val O_NONBLOCK = 0x800

    init {
        Native.register(Triggers::class.java, NativeLibrary.getInstance("c"))
    }

    @JvmStatic private external fun getpagesize(): Int

    /** Bytes of a page as the kernel counts them. */
    val pageSize: Long by lazy { getpagesize().toLong() }

    /** A PSI trigger such as `some 150000 2000000` on a pressure file: EPOLLPRI, at most once a window. */
    fun pressure(file: String, trigger: String): Descriptor {
        val descriptor = Descriptor.open(file, Posix.O_RDWR or O_NONBLOCK)
        try {
            write(descriptor, trigger + '\u0000')
        } catch (e: PosixException) {
            descriptor.close()
            throw e
        }
        return descriptor
    }

    /** A file that tells of its changes, as `memory.events` of cgroup v2 does: EPOLLPRI. */
    fun changes(file: String): Descriptor = Descriptor.open(file, Posix.O_RDONLY)

    /** An eventfd that cgroup v1 counts up when [file] of the cgroup [directory] reaches [argument]: EPOLLIN. */
    fun cgroupEvent(directory: String, file: String, argument: String): Descriptor {
        val event = Descriptor.event()
        try {
            Descriptor.open("$directory/$file", Posix.O_RDONLY).use { watched ->
                Descriptor.open("$directory/cgroup.event_control", O_WRONLY).use { control ->
                    write(control, "${number(event)} ${number(watched)} $argument")
                }
            }
        } catch (e: PosixException) {
            event.close()
            throw e
        }
        return event
    }

    /** Takes an eventfd's count back to 0; false if it was. */
    fun drain(event: Descriptor): Boolean =
        Arena.ofConfined().use { arena -> event.read(arena.allocate(JAVA_LONG).address(), JAVA_LONG.byteSize()) > 0 }

    private fun number(descriptor: Descriptor): Long = descriptor.number { it.toLong() }.orThrow("cgroup.event_control")

    private fun write(descriptor: Descriptor, text: String) {
        val bytes = text.toByteArray()
        Arena.ofConfined().use { arena ->
            val memory = arena.allocate(bytes.size.toLong()).apply { asByteBuffer().put(bytes) }
            descriptor.write(memory.address(), bytes.size.toLong()).orThrow("write")
        }
    }
}
