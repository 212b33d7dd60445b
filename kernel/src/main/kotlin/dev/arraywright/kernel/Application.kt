package dev.arraywright.kernel

import dev.arraywright.hardware.health.HealthThresholds
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.spi.device.StorageAddress
import java.util.UUID

/** A configuration brought about, once; what fails is kept, and the rest goes on. */
internal class Application(
    private val registry: ArrayRegistry,
    private val protection: Protection,
    private val nbd: Exports,
    private val members: Members,
    private val thresholds: HealthThresholds?,
    private val drivers: DriverManager,
) {
    private val failures = mutableListOf<KernelError>()

    suspend fun apply(configuration: Configuration): List<KernelError> {
        thresholds?.policy?.value = configuration.health.toPolicy()
        failures += drivers.configure(configuration.drivers, configuration.maxLoadedDrivers)
        // Arrays may have members of theirs.
        drivers.folder?.settled()
        attempt { protection.setPolicy(configuration.policy.toPolicy()) }
        val exporting = configuration.arrays.any { it.export != null }
        val listening = !exporting || nbd.running || attempt { nbd.listen(configuration.nbd) }
        val owners = owners(configuration)
        for (array in configuration.arrays) {
            val runs = array.name in registry.arrays.value || attempt { run(array, owners) }
            val export = array.export
            if (runs && listening && export != null && nbd.entries.value[export.name]?.array != array.name) {
                attempt { nbd.export(registry.named(array.name), export) }
            }
        }
        spares(configuration)
        return failures
    }

    /** A shared spare that became a member comes back as one, though the configuration does not name it there. */
    private suspend fun run(array: ArrayConfiguration, owners: Map<StorageAddress, UUID>) {
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
        registry.assemble((own + heirs).map { it.toString() }, array.name, force = false, domains, failures::add)
    }

    /** Configured spares that are members of an array by now, and of which. */
    private suspend fun owners(configuration: Configuration): Map<StorageAddress, UUID> {
        val found = mutableMapOf<StorageAddress, UUID>()
        for (spare in configuration.spares) {
            // A bad address is told when it is to become a spare.
            val address = address(spare.address) ?: continue
            if (address.toString() in members.entries.value) continue
            val superblock = registry.examine(address).superblock ?: continue
            if (superblock.role() < superblock.raidDisks()) found[address] = superblock.setUuid()
        }
        return found
    }

    private fun address(text: String): StorageAddress? =
        try {
            members.parse(text)
        } catch (_: KernelError.InvalidRequest) {
            null
        }

    private suspend fun owner(address: StorageAddress): UUID? = registry.examine(address).superblock?.setUuid()

    private suspend fun present(address: StorageAddress): Boolean = registry.examine(address).info != null

    private suspend fun spares(configuration: Configuration) {
        val wanted = configuration.spares.mapNotNull { address(it.address) }.toSet()
        for (gone in protection.pooled() - wanted) attempt { protection.removeSpare(gone.toString()) }
        for (spare in configuration.spares) {
            // One that an array has by now is where it belongs, and one that is there stays.
            if (address(spare.address)?.toString() in members.entries.value) continue
            attempt { protection.awaitSpare(spare.address, spare.domain) }
        }
    }

    private suspend fun attempt(action: suspend () -> Unit): Boolean =
        try {
            action()
            true
        } catch (e: KernelError) {
            failures += e
            false
        }
}
