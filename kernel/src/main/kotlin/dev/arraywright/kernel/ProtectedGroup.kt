package dev.arraywright.kernel

import dev.arraywright.raid.spare.HotSparePolicy

/**
 * An array to be made and looked after, for [ArraywrightKernel.createProtectedDeviceGroup].
 *
 * @param spec the array; its spares are dedicated to it
 * @param sharedSpares addresses of spares for any array of the kernel
 * @param policy how arrays are looked after from then on, all of the kernel's; absent: as before
 * @param export the name it is exported under, which needs [ArraywrightKernel.listen] before; absent: it is not exported
 * @param domains failure domains (enclosure, node, host) of members and spares, by address
 */
public data class ProtectedGroup(
    public val spec: ArraySpec,
    public val sharedSpares: List<String> = emptyList(),
    public val policy: HotSparePolicy? = null,
    public val export: String? = null,
    public val domains: Map<String, String> = emptyMap(),
)
