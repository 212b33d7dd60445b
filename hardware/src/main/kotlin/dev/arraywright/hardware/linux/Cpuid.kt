package dev.arraywright.hardware.linux

import com.sun.jna.Function
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer
import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_INT

/** What CPUID left in the four registers. */
internal data class CpuidLeaf(val eax: Int, val ebx: Int, val ecx: Int, val edx: Int)

/** The CPUID instruction of x86, as far as it can be reached from here. */
internal fun interface Cpuid {
    /** Null if it could not be read. */
    fun leaf(leaf: Int, subleaf: Int): CpuidLeaf?

    companion object {
        /** Why the instruction cannot be reached, for people; null if it can. */
        val absence: String? by lazy { reached.exceptionOrNull()?.let { it.message ?: "$it" } }

        /** The running processor's; null where [absence] says why. */
        val native: Cpuid? by lazy { reached.getOrNull() }

        private val reached: Result<Cpuid> by lazy {
            val stub = runCatching<Cpuid> { CpuidStub() }
            if (stub.isSuccess) stub else runCatching<Cpuid> { CpuidDevice() }.recoverCatching { throw stub.failure() }
        }

        private fun Result<Cpuid>.failure() = checkNotNull(exceptionOrNull())
    }
}

/**
 * Executes the instruction: a function of 33 bytes in a page of its own, written first and then made executable, never
 * both (a system that forbids even that refuses it with EACCES). Lives as long as the process. Throws [PosixException],
 * or [UnsupportedOperationException] elsewhere than on x86-64 Linux.
 */
private class CpuidStub : Cpuid {
    private val function: Function

    init {
        unsupported()?.let { throw UnsupportedOperationException(it) }
        val page = Library.mmap(0, PAGE, PROT_READ or PROT_WRITE, MAP_PRIVATE or MAP_ANONYMOUS, -1, 0)
        if (page == -1L) throw PosixException("mmap", Posix.errno())
        MemorySegment.ofAddress(page).reinterpret(PAGE).copyFrom(MemorySegment.ofArray(CODE))
        if (Library.mprotect(page, PAGE, PROT_READ or PROT_EXEC) != 0) {
            val errno = Posix.errno()
            Library.munmap(page, PAGE)
            throw PosixException("mprotect", errno)
        }
        function = Function.getFunction(Pointer(page))
    }

    override fun leaf(leaf: Int, subleaf: Int): CpuidLeaf? {
        // Executed where it faults, it would be the end of this process.
        if (SystemCalls.cpuidFaults()) return null
        return Arena.ofConfined().use { arena ->
            val result = arena.allocate(16, 8)
            function.invokeVoid(arrayOf(leaf, subleaf, Pointer(result.address())))
            registers(result)
        }
    }

    private object Library {
        init {
            Native.register(Library::class.java, NativeLibrary.getInstance("c"))
        }

        @JvmStatic
        external fun mmap(address: Long, length: Long, protection: Int, flags: Int, fd: Int, offset: Long): Long

        @JvmStatic external fun mprotect(address: Long, length: Long, protection: Int): Int

        @JvmStatic external fun munmap(address: Long, length: Long): Int
    }

    private companion object {
        const val PAGE = 4096L
        const val PROT_READ = 1
        const val PROT_WRITE = 2
        const val PROT_EXEC = 4
        const val MAP_PRIVATE = 2
        const val MAP_ANONYMOUS = 0x20

        /** `void f(unsigned leaf, unsigned subleaf, unsigned out[4])` by the System V convention. */
        val CODE: ByteArray =
            listOf(
                "f30f1efa", // endbr64
                "53", // push rbx, which is the caller's
                "4989d0", // mov r8, rdx
                "89f8", // mov eax, edi
                "89f1", // mov ecx, esi
                "0fa2", // cpuid
                "418900", // mov [r8], eax
                "41895804", // mov [r8+4], ebx
                "41894808", // mov [r8+8], ecx
                "4189500c", // mov [r8+12], edx
                "5b", // pop rbx
                "c3", // ret
            ).joinToString("").hexToByteArray()

        fun unsupported(): String? =
            when (val architecture = System.getProperty("os.arch")) {
                "amd64", "x86_64" ->
                    SystemCalls.absence ?: "CPUID faults in this process".takeIf { SystemCalls.cpuidFaults() }
                else -> "$architecture has no CPUID"
            }
    }
}

/** Asks the kernel's cpuid(4), which root may: 16 bytes at the offset that is the leaf. Throws [PosixException]. */
private class CpuidDevice : Cpuid {
    private val device: Descriptor

    init {
        SystemCalls.absence?.let { throw UnsupportedOperationException(it) }
        device = Descriptor.open("/dev/cpu/0/cpuid", Posix.O_RDONLY)
    }

    override fun leaf(leaf: Int, subleaf: Int): CpuidLeaf? =
        Arena.ofConfined().use { arena ->
            val result = arena.allocate(16, 8)
            val offset = (leaf.toLong() and 0xffff_ffffL) or (subleaf.toLong() shl 32)
            if (device.pread(result.address(), 16, offset) == 16L) registers(result) else null
        }
}

private fun registers(result: MemorySegment) =
    CpuidLeaf(
        result.getAtIndex(JAVA_INT, 0),
        result.getAtIndex(JAVA_INT, 1),
        result.getAtIndex(JAVA_INT, 2),
        result.getAtIndex(JAVA_INT, 3),
    )
