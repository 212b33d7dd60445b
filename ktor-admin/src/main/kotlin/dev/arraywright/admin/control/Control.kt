package dev.arraywright.admin.control

import dev.arraywright.admin.control.config.Configuring
import dev.arraywright.admin.control.driver.Driving
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.admin.control.machine.Surveying
import dev.arraywright.admin.control.protect.Protecting
import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ExportInfo
import dev.arraywright.kernel.event.KernelEvent
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.Serializable

/**
 * What an operator does with running arrays, whether this process holds them ([KernelControl]) or another
 * ([RemoteControl]). Members are storage addresses, for changes also slot numbers. Every call fails with a
 * [dev.arraywright.kernel.KernelError]; a call that failed has changed nothing unless the error says so.
 */
internal interface Control : AutoCloseable {
    /** How these arrays are looked after. */
    val protection: Protecting

    /** The machine that they run on. */
    val machine: Surveying

    /** What opens devices of more kinds. */
    val drivers: Driving

    /** The file that these arrays are kept running by. */
    val configuration: Configuring

    suspend fun arrays(): List<ArrayStatus>

    suspend fun array(name: String): ArrayStatus

    suspend fun create(request: CreateRequest): ArrayStatus

    suspend fun assemble(request: AssembleRequest): ArrayStatus

    /** With [forget] the array also leaves the configuration, so that the next start leaves it alone. */
    suspend fun stop(name: String, forget: Boolean)

    suspend fun change(name: String, change: MemberChange, member: String): ArrayStatus

    /** Ends once no resync and no rebuild runs; shows each [Activity] meanwhile. */
    suspend fun awaitIdle(name: String, progress: (Activity) -> Unit): ArrayStatus

    suspend fun exports(): List<ExportInfo>

    suspend fun export(request: ExportRequest): ExportInfo

    suspend fun unexport(name: String)

    /** What happened and, where asked for, what will; the collector may be as slow as it likes. */
    fun events(request: EventRequest): Flow<KernelEvent>
}

/** What can happen to a member. */
internal enum class MemberChange { FAIL, REMOVE, ADD }

@Serializable
internal data class CreateRequest(
    val name: String,
    val level: String,
    val members: List<String>,
    val spares: List<String> = emptyList(),
    val chunk: Int? = null,
    /** Bytes of the member files that do not exist yet; absent: all must exist. */
    val size: Long? = null,
    val preallocate: Boolean = false,
    val assumeClean: Boolean = false,
    val force: Boolean = false,
    val export: Boolean = false,
    /**
     * Bytes of the array that a bit of its write-intent bitmap stands for, -1 for
     * as many as md would choose, or absent for no bitmap.
     */
    val bitmap: Int? = null,
    /** Changes of the policy, for all arrays of the process. */
    val policy: Map<String, String> = emptyMap(),
    /** Spares that are to be there for any array. */
    val sharedSpares: List<String> = emptyList(),
)

/** Assembles the [members] given, or what of array [name] is found at the places to [scan]. */
@Serializable
internal data class AssembleRequest(
    val members: List<String> = emptyList(),
    val scan: List<String> = emptyList(),
    val name: String? = null,
    val force: Boolean = false,
)

@Serializable
internal data class MemberRequest(val member: String)

@Serializable
internal data class StopRequest(val forget: Boolean = false)

@Serializable
internal data class ExportRequest(val array: String, val name: String = array, val readOnly: Boolean = false)
