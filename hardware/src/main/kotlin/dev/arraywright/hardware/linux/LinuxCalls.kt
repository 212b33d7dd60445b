package dev.arraywright.hardware.linux

import com.sun.jna.Native

/** Whether the bindings of this room can be used at all; to be asked before any of them is touched. */
internal object LinuxCalls {
    /** Why not; null on 64-bit Linux. */
    val absence: String? by lazy {
        val system = System.getProperty("os.name")
        when {
            system != "Linux" -> "$system is not Linux"
            Native.POINTER_SIZE != 8 -> "this JVM is not a 64-bit one"
            else -> null
        }
    }

    /** asm/mman.h has other numbers elsewhere (mips, alpha, parisc, and sparc in part). */
    private val architectures =
        setOf("amd64", "x86_64", "aarch64", "arm64", "riscv64", "ppc64le", "s390x", "loongarch64")

    /** Why no memory can be mapped by [Mapping]; null if it can. */
    val mappingAbsence: String? by lazy {
        val architecture = System.getProperty("os.arch")
        absence ?: if (architecture in architectures) null else "mmap's flags are not known on $architecture"
    }
}
