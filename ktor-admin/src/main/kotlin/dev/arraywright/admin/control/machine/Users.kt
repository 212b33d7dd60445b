package dev.arraywright.admin.control.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.spare.ProtectionStatus
import dev.arraywright.spi.device.AddressSyntaxException
import dev.arraywright.spi.device.StorageAddress
import java.io.IOException
import java.nio.file.Path

/** Which devices arrays of Arraywright have, of which the system knows nothing: text for people by path. */
internal class Users private constructor(private val byPath: Map<String, String>) {
    /** Who has [device], or what is cut from it. */
    fun of(device: HardwareDevice, all: Map<DeviceId, HardwareDevice>): String? =
        device.path?.let { byPath[it] } ?: device.children.firstNotNullOfOrNull { id ->
            val child = all[id] ?: return@firstNotNullOfOrNull null
            child.path?.let { byPath[it] }?.let { "$it through ${child.name}" }
        }

    operator fun plus(other: Users): Users = Users(byPath + other.byPath)

    companion object {
        val NONE = Users(emptyMap())

        fun of(arrays: List<ArrayStatus>, protection: ProtectionStatus): Users {
            val spares = protection.spares.map { it.address to (it.array?.let { a -> "spare of $a" } ?: "spare") }
            val members = arrays.flatMap { array -> array.members.map { it.address to "member of ${array.name}" } }
            return Users((spares + members).mapNotNull { (at, who) -> path(at)?.let { it to who } }.toMap())
        }

        private fun path(address: String?): String? {
            val block = try {
                address?.let(StorageAddress::parse) as? StorageAddress.Block
            } catch (_: AddressSyntaxException) {
                // An array that does not know a device's address names its id.
                null
            } ?: return null
            return try {
                Path.of(block.path()).toRealPath().toString()
            } catch (_: IOException) {
                block.path()
            }
        }
    }
}
