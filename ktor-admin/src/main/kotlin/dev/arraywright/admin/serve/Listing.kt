package dev.arraywright.admin.serve

import dev.arraywright.admin.control.plainAddress
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
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flatMapLatest
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.map
import kotlin.time.Duration.Companion.seconds

/**
 * Keeps a configuration in step with the members and spares that its arrays have now: who joined is listed, and who was
 * replaced is not any more. A member that is only away stays listed, for it may come back. One for each process.
 */
internal class Listing {
    /** Who was a member of an array at any time, until a whole array does without. */
    private val seen = mutableMapOf<String, Set<String>>()

    /** What was [written] last: who is in it and not in the file any more was taken out by an operator. */
    private var present = emptyMap<String, Set<String>>()
    private var pooled = emptySet<String>()

    /** Ends only by cancellation; what cannot be written is given to [failed], and tried again until it can. */
    suspend fun keep(kernel: ArraywrightKernel, file: ConfigurationFile, failed: (KernelError) -> Unit) {
        val spares = kernel.protection.status.map { it.spares }.distinctUntilChanged()
        arrays(kernel).combine(spares) { arrays, pool -> arrays to pool }.collectLatest { (arrays, pool) ->
            var told: String? = null
            while (true) {
                val error = listed(file, arrays, pool) ?: break
                if (error.why != told) failed(error)
                told = error.why
                // An operator corrects the file, or makes room for it.
                delay(AGAIN)
            }
        }
    }

    private suspend fun listed(file: ConfigurationFile, arrays: List<Members>, pool: List<SpareView>): KernelError? =
        try {
            file.change { of(it, arrays, pool) }
            written(arrays, pool)
            null
        } catch (e: KernelError) {
            e
        }

    /** What [of] made of these is in the file. */
    fun written(arrays: List<Members>, pool: List<SpareView>) {
        for (now in arrays) seen[now.array] = seen[now.array].orEmpty() + now.present - gone(now)
        present = arrays.associate { it.array to it.present }
        pooled = shared(pool).map { it.address }.toSet()
    }

    /** [c] as it should be with these [arrays] and [pool] of spares. */
    fun of(c: Configuration, arrays: List<Members>, pool: List<SpareView>): Configuration {
        val now = arrays.associateBy { it.array }
        val listed = c.arrays.map { array -> now[array.name]?.let { of(array, it) } ?: array }
        val used = listed.flatMap { it.members + it.spares }.map(::plainAddress).toSet()
        val known = c.spares.map { plainAddress(it.address) }.toSet() + pooled
        // A shared spare that an array took, and that came back, is listed again.
        val back = shared(pool).filter { it.address !in known }.map { SpareConfiguration(it.address, it.domain) }
        return c.copy(arrays = listed, spares = (c.spares + back).filter { plainAddress(it.address) !in used })
    }

    private fun of(array: ArrayConfiguration, now: Members): ArrayConfiguration {
        val gone = gone(now)
        // Where it is listed is the operator's choice, but who has a slot is a member.
        val missing = now.slots - array.members.map(::plainAddress).toSet()
        val members = array.members.filter { plainAddress(it) !in gone } + missing
        val listed = (members + array.spares).map(::plainAddress) + present[now.array].orEmpty()
        val joined = now.present - now.slots - listed.toSet()
        val away = gone + now.slots
        val spares = array.spares.filter { plainAddress(it) !in away } + joined
        val domains = array.domains.filterKeys { plainAddress(it) !in gone }
        return array.copy(members = members, spares = spares, domains = domains)
    }

    private fun gone(now: Members) =
        if (now.whole) seen[now.array].orEmpty() + now.replaced - now.present else emptySet()

    private fun shared(pool: List<SpareView>) = pool.filter { it.array == null }

    @OptIn(ExperimentalCoroutinesApi::class)
    private fun arrays(kernel: ArraywrightKernel): Flow<List<Members>> = kernel.arrays.flatMapLatest { running ->
        if (running.isEmpty()) return@flatMapLatest flowOf(emptyList())
        combine(running.values.map(::members)) { it.asList().filterNotNull() }
    }

    private fun members(handle: ArrayHandle): Flow<Members?> =
        handle.status.map { if (it.health == ArrayHealth.STOPPED) null else Members.of(it) }.distinctUntilChanged()

    private companion object {
        val AGAIN = 10.seconds
    }
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
