package dev.arraywright.kernel

import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.spi.device.DeviceInfo

/**
 * What was found at an address: what the device is, the md superblock on it, and where one of them is missing,
 * [problem] says why.
 */
public data class Examination(
    public val address: String,
    public val info: DeviceInfo?,
    public val superblock: Superblock?,
    public val problem: String?,
)
