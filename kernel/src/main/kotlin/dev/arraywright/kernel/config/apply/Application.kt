package dev.arraywright.kernel.config.apply

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration

/** A configuration brought about, once; what fails is kept, and the rest goes on. */
internal class Application(private val subject: Subject) {
    private val failures = mutableListOf<KernelError>()
    private val bringUp = BringUp(subject.registry, subject.members, failures::add)

    suspend fun apply(configuration: Configuration): List<KernelError> {
        subject.thresholds?.policy?.value = configuration.health.toPolicy()
        failures += subject.drivers.configure(configuration.drivers, configuration.maxLoadedDrivers)
        // Arrays may have members of theirs.
        subject.drivers.folder?.settled()
        ConfiguredDrivers(subject.drivers, failures::add).load(configuration.drivers)
        attempt { subject.protection.setPolicy(configuration.policy.toPolicy()) }
        val exporting = configuration.arrays.any { it.export != null }
        val listening = !exporting || subject.nbd.running || attempt { subject.nbd.listen(configuration.nbd) }
        val owners = bringUp.owners(configuration.spares)
        for (array in configuration.arrays) {
            val runs = array.name in subject.registry.arrays.value || attempt { bringUp.run(array, owners) }
            val export = array.export
            if (runs && listening && export != null && subject.nbd.entries.value[export.name]?.array != array.name) {
                attempt { subject.nbd.export(subject.registry.named(array.name), export) }
            }
        }
        spares(configuration)
        return failures
    }

    private suspend fun spares(configuration: Configuration) {
        val wanted = configuration.spares.mapNotNull { bringUp.address(it.address) }.toSet()
        for (gone in subject.protection.pooled() - wanted) attempt { subject.protection.removeSpare(gone.toString()) }
        for (spare in configuration.spares) {
            // One that an array has by now is where it belongs, and one that is there stays.
            if (bringUp.address(spare.address)?.toString() in subject.members.entries.value) continue
            attempt { subject.protection.awaitSpare(spare.address, spare.domain) }
        }
    }

    private suspend fun attempt(action: suspend () -> Unit): Boolean = attempted(failures, action)
}
