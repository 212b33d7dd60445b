package dev.arraywright.admin.control.protect

import dev.arraywright.kernel.spare.ProtectionStatus
import kotlinx.serialization.Serializable

/**
 * What an operator does about arrays that look after themselves: spares, rebuilds, scrubs and the policy. Devices are
 * storage addresses, members also slot numbers. Every call fails with a [dev.arraywright.kernel.KernelError]; a call
 * that failed has changed nothing unless the error says so.
 */
internal interface Protecting {
    suspend fun status(): ProtectionStatus

    suspend fun addSpare(request: SpareRequest): ProtectionStatus

    suspend fun removeSpare(address: String)

    /** Fills the place of a member onto a spare: beside it where [RebuildRequest.working], else because it is out. */
    suspend fun rebuild(array: String, request: RebuildRequest): ProtectionStatus

    suspend fun change(rebuild: String, change: RebuildChange)

    suspend fun scrub(array: String, change: ScrubChange, request: ScrubRequest = ScrubRequest()): ProtectionStatus

    /** Settings by the names that they have in the configuration file, as they are written there. */
    suspend fun policy(): Map<String, String>

    /** Changes these settings, or none of them where one is wrong; gives all. */
    suspend fun setPolicy(settings: Map<String, String>): Map<String, String>
}

/** What can happen to a running rebuild. */
internal enum class RebuildChange { PAUSE, RESUME, CANCEL }

/** What can happen to an array's scrub. */
internal enum class ScrubChange { START, PAUSE, RESUME, STOP }

/**
 * A spare for [array] alone, or for all; [domain] labels its failure domain. With [await], and for all, it may be plugged
 * in later.
 */
@Serializable
internal data class SpareRequest(
    val address: String,
    val array: String? = null,
    val domain: String? = null,
    val await: Boolean = false,
)

/** The place of [member] is filled [onto] a spare, or onto the one that suits best; [working]: it serves meanwhile. */
@Serializable
internal data class RebuildRequest(val member: String, val onto: String? = null, val working: Boolean = false)

/** With [repair] a scrub also mends what it finds. */
@Serializable
internal data class ScrubRequest(val repair: Boolean = false)
