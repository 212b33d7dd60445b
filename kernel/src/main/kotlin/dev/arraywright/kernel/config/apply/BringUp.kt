package dev.arraywright.kernel.config.apply

import dev.arraywright.kernel.ArrayRegistry
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.spi.device.StorageAddress
import java.util.UUID

/** Runs arrays as they are configured; members that cannot be opened are told to [failed], and done without. */
internal class BringUp(
    private val registry: ArrayRegistry,
    private val members: Members,
    private val failed: (KernelError) -> Unit,
) {
    /** A shared spare that became a member comes back as one, though the configuration does not name it there. */
    suspend fun run(array: ArrayConfiguration, owners: Map<StorageAddress, UUID>) {
        val own = (array.members + array.spares).map(members::parse)
        val domains = array.domains.mapKeys { members.parse(it.key) }
        val level = array.raidLevel
        val uuid = if (owners.isEmpty() && level == null) null else own.firstNotNullOfOrNull { owner(it) }
        if (level != null && uuid == null && array.members.all { present(members.parse(it)) }) {
            val spec = ArraySpec(
                array.name,
                level,
                array.members,
                array.spares,
                array.chunk.toInt(),
                bitmapChunk = array.bitmapChunk,
            )
            registry.create(spec, domains)
            return
        }
        val heirs = owners.filterValues { it == uuid }.keys - own.toSet()
        registry.assemble((own + heirs).map { it.toString() }, array.name, force = false, domains, failed)
    }

    /** Configured [spares] that are members of an array by now, and of which. */
    suspend fun owners(spares: List<SpareConfiguration>): Map<StorageAddress, UUID> {
        val found = mutableMapOf<StorageAddress, UUID>()
        for (spare in spares) {
            // A bad address is told when it is to become a spare.
            val address = address(spare.address) ?: continue
            if (address.toString() in members.entries.value) continue
            val superblock = registry.examine(address).superblock ?: continue
            if (superblock.role() < superblock.raidDisks()) found[address] = superblock.setUuid()
        }
        return found
    }

    /** The address that a text is; null if it is none. */
    fun address(text: String): StorageAddress? =
        try {
            members.parse(text)
        } catch (_: KernelError.InvalidRequest) {
            null
        }

    private suspend fun owner(address: StorageAddress): UUID? = registry.examine(address).superblock?.setUuid()

    private suspend fun present(address: StorageAddress): Boolean = registry.examine(address).info != null
}
