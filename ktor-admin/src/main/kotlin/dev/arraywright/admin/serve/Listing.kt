package dev.arraywright.admin.serve

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.spare.SpareView
import dev.arraywright.spi.device.AddressSyntaxException
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flatMapLatest
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map

/**
 * Keeps a configuration in step with the members and spares that its arrays have now: who joined is listed, and who was
 * replaced is not any more. A member that is only away stays listed, for it may come back. One for each process.
 */
internal class Listing {
    private val seen = mutableMapOf<String, MutableSet<String>>()

    /** Ends only by cancellation; what cannot be written is given to [failed], and tried again at the next change. */
    suspend fun keep(kernel: ArraywrightKernel, file: ConfigurationFile, failed: (KernelError) -> Unit) {
        val spares = kernel.protection.status.map { it.spares }.distinctUntilChanged()
        arrays(kernel).combine(spares) { arrays, pool -> arrays to pool }.conflate().collect { (arrays, pool) ->
            try {
                file.change { of(it, arrays, pool) }
            } catch (e: KernelError) {
                failed(e)
            }
        }
    }

    /** [c] as it should be with these [arrays] and [pool] of spares. */
    fun of(c: Configuration, arrays: List<Members>, pool: List<SpareView>): Configuration {
        val now = arrays.associateBy { it.array }
        val listed = c.arrays.map { array -> now[array.name]?.let { of(array, it) } ?: array }
        val used = listed.flatMap { it.members + it.spares }.toSet()
        val shared = pool.filter { it.array == null }
        val known = c.spares.map { it.address }.toSet()
        // A shared spare that an array took, and that came back, is listed again.
        val back = shared.filter { it.address !in known }.map { SpareConfiguration(it.address, it.domain) }
        return c.copy(arrays = listed, spares = (c.spares + back).filter { it.address !in used })
    }

    private fun of(array: ArrayConfiguration, now: Members): ArrayConfiguration {
        val before = seen.getOrPut(now.array) { mutableSetOf() }
        val gone = if (now.whole) before + now.replaced - now.present else emptySet()
        before += now.present
        before -= gone
        // Where it is listed is the operator's choice, but who has a slot is a member.
        val members = array.members - gone + (now.slots - array.members.toSet())
        val joined = now.present - now.slots - members.toSet() - array.spares.toSet()
        val spares = array.spares - gone - now.slots + joined
        return array.copy(members = members, spares = spares, domains = array.domains - gone)
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    private fun arrays(kernel: ArraywrightKernel): Flow<List<Members>> = kernel.arrays.flatMapLatest { running ->
        if (running.isEmpty()) return@flatMapLatest flowOf(emptyList())
        combine(running.values.map(::members)) { it.asList().filterNotNull() }
    }

    private fun members(handle: ArrayHandle): Flow<Members?> =
        handle.status.map { if (it.health == ArrayHealth.STOPPED) null else Members.of(it) }.distinctUntilChanged()
}

/** The addresses that an [array] has at one moment; it is [whole] if every slot is in sync. */
internal data class Members(
    val array: String,
    val present: Set<String>,
    /** Those that have a slot, or will have the one that they are filled for. */
    val slots: Set<String>,
    val replaced: Set<String>,
    val whole: Boolean,
) {
    companion object {
        fun of(status: ArrayStatus): Members {
            val (out, present) = status.members.filter { it.address?.let(::isAddress) == true }.partition(::isOut)
            return Members(
                status.name,
                addresses(present),
                addresses(present.filter { it.slot != null || it.state == "replacing" }),
                addresses(out),
                status.members.none { it.slot != null && it.state != "in-sync" },
            )
        }

        private fun addresses(members: List<MemberStatus>): Set<String> =
            members.mapNotNullTo(linkedSetOf()) { it.address }

        private fun isOut(member: MemberStatus) =
            member.state == "replaced" || (member.slot == null && member.state == "faulty")

        /** Where an array does not know a device's address, its status has the device's id. */
        private fun isAddress(text: String): Boolean = try {
            StorageAddress.parse(text)
            true
        } catch (_: AddressSyntaxException) {
            false
        }
    }
}
