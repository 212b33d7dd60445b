package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_BYTE
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.lang.foreign.ValueLayout.JAVA_SHORT

/** The socket calls that netlink(7) needs, direct-mapped; as with [Posix], -1 means failure. */
@Suppress("ktlint:standard:function-naming")
internal object Netlink {
    init {
        Native.register(Netlink::class.java, NativeLibrary.getInstance("c"))
    }

    @JvmStatic external fun socket(family: Int, type: Int, protocol: Int): Int

    @JvmStatic external fun bind(fd: Int, address: Long, length: Int): Int

    @JvmStatic external fun setsockopt(fd: Int, level: Int, option: Int, value: Long, length: Int): Int

    @JvmStatic external fun recvmsg(fd: Int, message: Long, flags: Int): Long

    private const val AF_NETLINK = 16
    private const val SOCK_RAW = 3
    private const val SOCK_NONBLOCK = 0x800
    private const val SOCK_CLOEXEC = 0x80000
    private const val NETLINK_KOBJECT_UEVENT = 15
    private const val SOL_SOCKET = 1
    private const val SO_RCVBUF = 8
    private const val SO_RCVBUFFORCE = 33
    private const val ADDRESS_SIZE = 12L

    /** The multicast group that the kernel sends to; udev sends to another. */
    private const val KERNEL_GROUP = 1

    /**
     * A socket on which the kernel's uevents arrive, without blocking. The kernel keeps [buffer] bytes of them, or as
     * many as the process may ask for; throws [PosixException].
     */
    fun uevents(buffer: Int): Descriptor {
        val type = SOCK_RAW or SOCK_CLOEXEC or SOCK_NONBLOCK
        val socket = Descriptor.adopt(socket(AF_NETLINK, type, NETLINK_KOBJECT_UEVENT), "socket")
        try {
            Arena.ofConfined().use { arena ->
                val value = arena.allocate(JAVA_INT).apply { set(JAVA_INT, 0, buffer) }.address()
                val forced = socket.number { setsockopt(it, SOL_SOCKET, SO_RCVBUFFORCE, value, 4).toLong() }
                if (forced < 0) socket.number { setsockopt(it, SOL_SOCKET, SO_RCVBUF, value, 4).toLong() }
                // struct sockaddr_nl: u16 family, u16 pad, u32 pid, u32 groups
                val address = arena.allocate(ADDRESS_SIZE, 8)
                address.set(JAVA_SHORT, 0, AF_NETLINK.toShort())
                address.set(JAVA_INT, 8, KERNEL_GROUP)
                socket.number { bind(it, address.address(), ADDRESS_SIZE.toInt()).toLong() }.orThrow("bind")
            }
        } catch (e: PosixException) {
            socket.close()
            throw e
        }
        return socket
    }
}

/**
 * Receives a netlink socket's messages, one at a time into the same [content].
 *
 * ```
 * struct msghdr (64-bit): 0 name*, 8 namelen u32, 16 iov*, 24 iovlen, 32 control*, 40 controllen, 48 flags s32
 * ```
 */
internal class NetlinkReceiver(private val socket: Descriptor, size: Long) : AutoCloseable {
    private val arena = Arena.ofShared()
    private val address: MemorySegment = arena.allocate(12, 8)
    private val vector: MemorySegment = arena.allocate(16, 8)
    private val header: MemorySegment = arena.allocate(56, 8)
    private val content: MemorySegment = arena.allocate(size, 8)

    init {
        vector.set(JAVA_LONG, 0, content.address())
        vector.set(JAVA_LONG, 8, size)
    }

    /** Its length, or a negative errno: EAGAIN when there is none, ENOBUFS when some were dropped. */
    fun receive(): Long {
        header.fill(0)
        header.set(JAVA_LONG, 0, address.address())
        header.set(JAVA_INT, 8, 12)
        header.set(JAVA_LONG, 16, vector.address())
        header.set(JAVA_LONG, 24, 1)
        return socket.number { Netlink.recvmsg(it, header.address(), 0) }
    }

    /** Whether the last message was longer than [content]. */
    val truncated: Boolean get() = header.get(JAVA_INT, 48) and MSG_TRUNC != 0

    /** Who sent the last message: 0 is the kernel. */
    val sender: Int get() = address.get(JAVA_INT, 4)

    /** A copy of the last message. */
    fun message(length: Long): ByteArray = content.asSlice(0, length).toArray(JAVA_BYTE)

    /** Not while [receive] is called. */
    override fun close() = arena.close()

    private companion object {
        const val MSG_TRUNC = 0x20
    }
}
