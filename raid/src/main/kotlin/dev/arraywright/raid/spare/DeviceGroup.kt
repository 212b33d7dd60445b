package dev.arraywright.raid.spare

import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.AsyncBlockDevice

/**
 * An array to look after, under a [name] of its own.
 *
 * @property domains which failure domain (enclosure, node, host) each member or spare is in, by device id, as far as
 *   known; a replacement comes from another domain than the other members where there is one
 */
public class DeviceGroup(
    public val name: String,
    public val array: RaidArray,
    public val domains: Map<String, String> = emptyMap(),
) {
    init {
        require(name.isNotBlank()) { "a device group needs a name" }
    }

    override fun toString(): String = name
}

/** A device to be a spare for any group; [domain] is its failure domain, if known. */
public class SpareDevice(public val device: AsyncBlockDevice, public val domain: String? = null) {
    public val id: String get() = device.info().id()

    override fun toString(): String = id
}
