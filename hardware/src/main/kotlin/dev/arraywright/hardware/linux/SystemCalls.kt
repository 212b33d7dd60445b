package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_INT

/**
 * System calls which the C library has no name for, by their numbers; only those that tell what the kernel can do, and
 * that leave nothing behind. Results are values or a negative errno.
 */
internal object SystemCalls {
    private object Library {
        init {
            Native.register(Library::class.java, NativeLibrary.getInstance("c"))
        }

        /** Variadic in C: see [Posix]. */
        @JvmStatic external fun syscall(number: Long, a: Long, b: Long, c: Long): Long
    }

    private val architecture = System.getProperty("os.arch")
    private val isX86 = architecture in setOf("amd64", "x86_64")

    /** Why no system call can be made by its number here; null where the numbers are known. */
    val absence: String? by lazy {
        val known = isX86 || architecture in setOf("aarch64", "arm64")
        LinuxCalls.absence ?: if (known) null else "unknown architecture $architecture"
    }

    /** Makes an io_uring of one entry and closes it; the feature bits of io_uring_setup(2). */
    fun ioUringFeatures(): Long =
        Arena.ofConfined().use { arena ->
            val parameters = arena.allocate(IO_URING_PARAMS, 8)
            val fd = call(IO_URING_SETUP, 1, parameters.address(), 0)
            if (fd < 0) return fd
            Descriptor.adopt(fd.toInt(), "io_uring_setup").close()
            parameters.get(JAVA_INT, IO_URING_FEATURES).toLong() and 0xffff_ffffL
        }

    /** The version of Landlock's interface, 1 or more. */
    fun landlockVersion(): Long = call(LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION)

    /** Whether CPUID faults on the calling thread, which a tracer or a sandbox may ask for: arch_prctl(2). */
    fun cpuidFaults(): Boolean = isX86 && absence == null && call(ARCH_PRCTL, ARCH_GET_CPUID, 0, 0) == 0L

    private fun call(number: Long, a: Long, b: Long, c: Long): Long {
        while (true) {
            val result = Library.syscall(number, a, b, c)
            if (result >= 0) return result
            val errno = Posix.errno()
            if (errno != Errno.EINTR) return -errno.toLong()
        }
    }

    private const val IO_URING_SETUP = 425L
    private const val LANDLOCK_CREATE_RULESET = 444L

    /** Of x86-64 alone. */
    private const val ARCH_PRCTL = 158L
    private const val ARCH_GET_CPUID = 0x1011L
    private const val LANDLOCK_CREATE_RULESET_VERSION = 1L

    /** `struct io_uring_params`: ten u32, of which the sixth is the features, and two blocks of 40 bytes. */
    private const val IO_URING_PARAMS = 120L
    private const val IO_URING_FEATURES = 20L
}
