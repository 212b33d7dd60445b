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
}
