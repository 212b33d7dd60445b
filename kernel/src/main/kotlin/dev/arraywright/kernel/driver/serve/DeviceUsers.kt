package dev.arraywright.kernel.driver.serve

import dev.arraywright.kernel.Members
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.spi.device.StorageAddress

/** Who in the kernel uses which device. */
internal class DeviceUsers(private val members: Members, private val protection: Protection) {
    /** For a message: the address, and who uses it. */
    fun shown(address: StorageAddress): String {
        val array = members.entries.value[address.toString()]?.array
        return when {
            array != null -> "$address (in the array $array)"
            protection.holds(address) -> "$address (a shared spare)"
            else -> "$address (open)"
        }
    }

    /** Whoever uses it is told that it is gone, and does without it. */
    suspend fun gone(address: StorageAddress, cause: String): Unit = protection.deviceGone(address, cause)

    /** What an operator is told whose address no driver serves. */
    fun advise(adviser: (scheme: String) -> String?) {
        members.advice = adviser
    }
}
