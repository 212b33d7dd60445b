package dev.arraywright.admin.control.protect

import dev.arraywright.admin.control.plainAddress
import dev.arraywright.admin.control.without
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.PolicyConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.spare.ProtectionStatus
import dev.arraywright.raid.repair.ScrubMode

/** How [kernel] looks after its arrays; what outlives the process is written to its [file], if it keeps one. */
internal class KernelProtection(
    private val kernel: ArraywrightKernel,
    private val file: ConfigurationFile?,
) : Protecting {
    private val protection get() = kernel.protection

    override suspend fun status(): ProtectionStatus = protection.status.value

    override suspend fun addSpare(request: SpareRequest): ProtectionStatus {
        if (request.await) {
            if (request.array != null) {
                throw KernelError.InvalidRequest(
                    "cannot await the spare ${request.address}",
                    "one of ${request.array} alone cannot be awaited",
                    "await it for all arrays, or plug it in first",
                )
            }
            protection.awaitSpare(request.address, request.domain)
        } else {
            protection.addSpare(request.address, request.array, request.domain)
        }
        file?.change { c -> request.array?.let { dedicated(c, it, request) } ?: shared(c, request) }
        return status()
    }

    override suspend fun removeSpare(address: String) {
        protection.removeSpare(address)
        val gone = plainAddress(address)
        file?.change { c ->
            c.copy(
                spares = c.spares.filter { plainAddress(it.address) != gone },
                arrays = c.arrays.map { array ->
                    array.copy(
                        spares = array.spares.without(address),
                        domains = array.domains.filterKeys { plainAddress(it) != gone },
                    )
                },
            )
        }
    }

    override suspend fun rebuild(array: String, request: RebuildRequest): ProtectionStatus {
        if (request.working) {
            protection.replace(array, request.member, request.onto)
        } else {
            protection.forceRebuild(array, request.member, request.onto)
        }
        return status()
    }

    override suspend fun change(rebuild: String, change: RebuildChange): Unit = when (change) {
        RebuildChange.PAUSE -> protection.pauseRebuild(rebuild)
        RebuildChange.RESUME -> protection.resumeRebuild(rebuild)
        RebuildChange.CANCEL -> protection.cancelRebuild(rebuild)
    }

    override suspend fun scrub(array: String, change: ScrubChange, request: ScrubRequest): ProtectionStatus {
        when (change) {
            ScrubChange.START -> protection.startScrub(array, if (request.repair) ScrubMode.REPAIR else ScrubMode.CHECK)
            ScrubChange.PAUSE -> protection.pauseScrub(array)
            ScrubChange.RESUME -> protection.resumeScrub(array)
            ScrubChange.STOP -> protection.stopScrub(array)
        }
        return status()
    }

    override suspend fun policy(): Map<String, String> = PolicySettings.of(configured())

    override suspend fun setPolicy(settings: Map<String, String>): Map<String, String> {
        val changed = changed(settings)
        protection.setPolicy(changed.toPolicy())
        file?.change { with(it, settings) }
        return PolicySettings.of(changed)
    }

    /** The policy as it would be with these settings changed. */
    fun changed(settings: Map<String, String>): PolicyConfiguration = PolicySettings.changed(configured(), settings)

    /** [c] with these settings of its policy changed, and others as an operator may have edited them just now. */
    fun with(c: Configuration, settings: Map<String, String>): Configuration = try {
        c.copy(policy = PolicySettings.changed(c.policy, settings))
    } catch (e: KernelError.InvalidRequest) {
        throw IllegalArgumentException(e.why, e)
    }

    private fun configured(): PolicyConfiguration = PolicyConfiguration.of(protection.policy.value)

    private fun shared(c: Configuration, spare: SpareRequest) = c.copy(
        spares = c.spares.filter { it.address != spare.address } + SpareConfiguration(spare.address, spare.domain),
    )

    private fun dedicated(c: Configuration, name: String, spare: SpareRequest) = c.copy(
        arrays = c.arrays.map { array ->
            if (array.name != name) return@map array
            val domains = spare.domain?.let { array.domains + (spare.address to it) } ?: array.domains
            array.copy(spares = (array.spares - spare.address) + spare.address, domains = domains)
        },
    )
}
