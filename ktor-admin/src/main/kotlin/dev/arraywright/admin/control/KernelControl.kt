package dev.arraywright.admin.control

import dev.arraywright.admin.control.config.Configuring
import dev.arraywright.admin.control.config.KernelConfiguring
import dev.arraywright.admin.control.driver.Driving
import dev.arraywright.admin.control.driver.KernelDriving
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.admin.control.machine.KernelSurvey
import dev.arraywright.admin.control.machine.Surveying
import dev.arraywright.admin.control.protect.KernelProtection
import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.ExportInfo
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.kernel.ProtectedGroup
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/**
 * The arrays of [kernel], in this process. Where the process keeps a [file] running, every change that outlives it is
 * written there too. Does not own the kernel: [close] does nothing.
 */
internal class KernelControl(
    private val kernel: ArraywrightKernel,
    private val file: ConfigurationFile? = null,
) : Control {
    override val protection: KernelProtection = KernelProtection(kernel, file)

    override val machine: Surveying = KernelSurvey(kernel)

    override val drivers: Driving = KernelDriving(kernel, file)

    override val configuration: Configuring = KernelConfiguring(kernel, file)

    override suspend fun arrays(): List<ArrayStatus> = kernel.arrays.value.values.map(::shown)

    override suspend fun array(name: String): ArrayStatus = shown(handle(name))

    override suspend fun create(request: CreateRequest): ArrayStatus {
        val policy = if (request.policy.isEmpty()) null else protection.changed(request.policy)
        val export = if (request.export) ExportConfiguration(request.name) else null
        val group =
            ProtectedGroup(specification(request), request.sharedSpares, policy?.toPolicy(), export = export?.name)
        val handle = kernel.createProtectedDeviceGroup(group)
        val array = ArrayConfiguration(request.name, request.members, export, request.spares)
        file?.change { c ->
            protection.with(c, request.policy).copy(
                arrays = c.arrays.filter { it.name != array.name } + array,
                spares = c.spares + (
                    request.sharedSpares - c.spares.map {
                        it.address
                    }.toSet()
                ).map { SpareConfiguration(it) },
            )
        }
        return shown(handle)
    }

    override suspend fun assemble(request: AssembleRequest): ArrayStatus {
        val members = if (request.members.isEmpty()) found(request) else named(request)
        val handle = kernel.assembleArray(members, request.name, request.force)
        file?.change { c ->
            val before = c.arrays.find { it.name == handle.name }
            val array = before?.copy(
                members = members - before.spares.toSet(),
            ) ?: ArrayConfiguration(handle.name, members)
            c.copy(arrays = c.arrays.filter { it.name != array.name } + array)
        }
        return shown(handle)
    }

    override suspend fun stop(name: String, forget: Boolean) {
        kernel.stopArray(name)
        if (forget) file?.change { c -> c.copy(arrays = c.arrays.filter { it.name != name }) }
    }

    override suspend fun change(name: String, change: MemberChange, member: String): ArrayStatus {
        val handle = handle(name)
        val slot = member.toIntOrNull()
        val address = handle.status.value.members.find { slot != null && it.slot == slot }?.address ?: member
        when (change) {
            MemberChange.FAIL -> handle.fail(member)
            MemberChange.REMOVE -> {
                handle.remove(member)
                kept(name) {
                    it.copy(members = it.members.without(address), spares = it.spares.without(address))
                }
            }
            MemberChange.ADD -> {
                handle.add(member)
                kept(name) {
                    val spare = it.spares.without(address) != it.spares
                    if (spare) it else it.copy(members = it.members.without(address) + address)
                }
            }
        }
        return shown(handle)
    }

    override suspend fun awaitIdle(name: String, progress: (Activity) -> Unit): ArrayStatus {
        val handle = handle(name)
        coroutineScope {
            val shown = launch { handle.status.collect { it.activity?.let(progress) } }
            handle.awaitIdle()
            shown.cancel()
        }
        return shown(handle)
    }

    override suspend fun exports(): List<ExportInfo> = kernel.exports.value.values.toList()

    override suspend fun export(request: ExportRequest): ExportInfo {
        val export = ExportConfiguration(request.name, readOnly = request.readOnly)
        val info = kernel.export(request.array, export)
        file?.change { c ->
            c.copy(arrays = c.arrays.map { if (it.name == request.array) it.copy(export = export) else it })
        }
        return info
    }

    override suspend fun unexport(name: String) {
        kernel.unexport(name)
        file?.change { c ->
            c.copy(arrays = c.arrays.map { if (it.export?.name == name) it.copy(export = null) else it })
        }
    }

    override fun events(request: EventRequest): Flow<KernelEvent> = request.of(kernel)

    override fun close() = Unit

    private fun handle(name: String): ArrayHandle = kernel.arrays.value[name] ?: throw KernelError.NotFound(
        "there is no array $name",
        kernel.arrays.value.keys.sorted().joinToString().let {
            if (it.isEmpty()) "none is running" else "running: $it"
        },
        "assemble it first: arraywright assemble $name MEMBER...",
    )

    /** With the members that were left out and why: the array itself does not know them. */
    private fun shown(handle: ArrayHandle): ArrayStatus {
        val status = handle.status.value
        return status.copy(
            members = status.members + handle.leftOut.map { (at, why) ->
                MemberStatus(null, at, "left out", why)
            },
        )
    }

    /** Members named one by one are refused as a whole where one of them cannot be meant. */
    private suspend fun named(request: AssembleRequest): List<String> {
        val examined = request.members.map { kernel.examine(it) }
        examined.find { it.info != null && it.superblock == null }?.let {
            throw KernelError.DeviceUnusable(
                "${it.address} is no member of an array",
                it.problem.orEmpty(),
                "leave it out, or look at the path",
            )
        }
        val arrays = Candidates.of(examined).arrays
        if (arrays.size > 1) {
            val whose = arrays.joinToString("; ") { "${it.name} (${it.uuid}): ${it.members.joinToString()}" }
            throw KernelError.InvalidRequest(
                "these members belong to ${arrays.size} arrays",
                whose,
                "name the members of one",
            )
        }
        return request.members
    }

    private suspend fun found(request: AssembleRequest): List<String> =
        Candidates.of(kernel.scan(request.scan)).only(request.name, request.scan).members

    private suspend fun kept(name: String, change: (ArrayConfiguration) -> ArrayConfiguration) {
        file?.change { c -> c.copy(arrays = c.arrays.map { if (it.name == name) change(it) else it }) }
    }

    private fun specification(request: CreateRequest): ArraySpec {
        val spec = ArraySpec(
            name = request.name,
            level = level(request.level),
            members = request.members,
            spares = request.spares,
            assumeClean = request.assumeClean,
            force = request.force,
            createFilesOf = request.size,
            preallocate = request.preallocate,
            bitmapChunk = request.bitmap,
        )
        return request.chunk?.let { spec.copy(chunk = it) } ?: spec
    }

    private fun level(text: String): RaidLevel = try {
        RaidLevel.parse(text)
    } catch (e: IllegalArgumentException) {
        throw KernelError.InvalidRequest("cannot create the array", e.message.orEmpty(), "choose one of those", e)
    }
}
