package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Mapping
import dev.arraywright.hardware.linux.NumaCalls
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_BYTE

/** What [NumaAllocator] asks of the kernel. Calls return 0 or more, or the negative errno. */
internal interface NodePages {
    /** The address of memory with no page resident yet; 0 if there is none. */
    fun map(bytes: Long): Long

    fun unmap(address: Long, bytes: Long)

    /** As [NumaCalls.prefer]. */
    fun prefer(address: Long, bytes: Long, node: Int): Int

    fun forget(address: Long, bytes: Long): Int

    /** Makes all of it resident. */
    fun touch(address: Long, bytes: Long)

    /** As [NumaCalls.move]. */
    fun move(address: Long, bytes: Long, node: Int): Int

    fun nodeOf(address: Long): Int
}

/** The running kernel's. */
internal object RealNodePages : NodePages {
    /** Pages of the usual size: where a huge page lies would tell of 512 at once, and it moves only as a whole. */
    override fun map(bytes: Long): Long = Mapping.map(bytes).also { if (it != 0L) Mapping.keepSmallPages(it, bytes) }

    override fun unmap(address: Long, bytes: Long) = Mapping.unmap(address, bytes)

    override fun prefer(address: Long, bytes: Long, node: Int): Int = NumaCalls.prefer(address, bytes, node)

    override fun forget(address: Long, bytes: Long): Int = NumaCalls.forget(address, bytes)

    override fun touch(address: Long, bytes: Long) {
        if (Mapping.populate(address, bytes)) return
        val memory = MemorySegment.ofAddress(address).reinterpret(bytes)
        for (at in 0 until bytes step Mapping.pageSize) memory.set(JAVA_BYTE, at, 0)
    }

    override fun move(address: Long, bytes: Long, node: Int): Int = NumaCalls.move(address, bytes, node)

    override fun nodeOf(address: Long): Int = NumaCalls.nodeOf(address)
}

/** Why the kernel would not place memory on a node, in an operator's words. */
internal fun refusal(node: Int, errno: Int): String =
    when (errno) {
        Errno.EPERM, Errno.EACCES ->
            "placing memory is not permitted here: a container's seccomp profile may forbid mbind (grant CAP_SYS_NICE)"
        Errno.ENOSYS -> "the kernel was built without NUMA, or mbind's number is not known on this architecture"
        Errno.EINVAL -> "node $node has no memory, or the process's cpuset does not allow it (Mems_allowed)"
        else -> "the kernel refused node $node with errno $errno"
    }
