package dev.arraywright.admin.control.machine

import dev.arraywright.hardware.discovery.healthTargets
import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.HealthConfiguration
import dev.arraywright.kernel.event.MemoryReleased
import dev.arraywright.kernel.machine.Machine
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import kotlin.time.Duration.Companion.seconds

/** The machine as [kernel] sees it; [others] tells what other processes have of it. */
internal class KernelSurvey(
    private val kernel: ArraywrightKernel,
    private val others: suspend () -> Users = { Users.NONE },
) : Surveying {
    override suspend fun hardware(): HardwareView {
        val machine = known()
        return HardwareView(views(machine), machine.monitor.status.value.toView(), thresholds(machine))
    }

    override suspend fun device(name: String): DeviceDetail {
        val machine = known()
        val found = machine.device(name).id.toString()
        val all = views(machine).associateBy { it.id }
        val device = all[found] ?: throw gone(name)
        val around = LinkedHashSet<String>()

        fun below(id: String) {
            val parts = all[id]?.run { members + listOfNotNull(parent) }.orEmpty()
            for (part in parts) if (part != found && around.add(part)) below(part)
        }

        fun above(id: String) {
            for (user in all[id]?.run { children + holders }.orEmpty()) if (user != found && around.add(user)) above(user)
        }
        below(found)
        above(found)
        return DeviceDetail(device, around.mapNotNull { all[it] })
    }

    override suspend fun rescan(): HardwareView {
        look(machine())
        return hardware()
    }

    override suspend fun health(): HealthStatus {
        val machine = known()
        return HealthStatus(
            thresholds(machine),
            machine.health.reports.value.values.sortedBy { it.target.path }.map { it.toView() },
        )
    }

    override suspend fun capabilities(): List<CapabilityView> {
        val registry = machine().capabilities
        withTimeoutOrNull(LOOK) { registry.refresh() }
        return registry.capabilities.value.values.sortedBy { it.name }.map { it.toView() }
    }

    override suspend fun platform(): PlatformView = machine().platform().toView()

    override suspend fun memory(): MemoryView {
        val machine = machine()
        // Pressure is told only once it lasted, which the first look cannot know; the sources' words are there by then.
        withTimeoutOrNull(LOOK) { machine.memory.refresh() }
        val pressure = machine.memory.pressure.value
        return MemoryView(
            word(pressure.level()),
            pressure.bytesToRelease(),
            pressure.source().ifEmpty { null },
            machine.memory.status.value.map { PressureSourceView(it.source, it.active, it.detail) },
            withContext(Dispatchers.IO) { machine.balloon.absence },
            rounds(),
            machine.buffers.stats().toView(),
        )
    }

    override suspend fun numa(): NumaView {
        val machine = known(healthToo = false)
        return withContext(Dispatchers.IO) {
            machine.topology?.toView(machine.devices.value.values) ?: NumaView(absence = NumaTopology.absence())
        }
    }

    private fun machine(): Machine = kernel.machine ?: throw KernelError.NotFound(
        "nothing is known of the machine",
        "this process does not watch it",
        "look with --local; or write \"watch\": true in its configuration and start it anew",
    )

    /** Once it was looked at, and where [healthToo], its disks were asked; those that take longer show as unknown. */
    private suspend fun known(healthToo: Boolean = true): Machine {
        val machine = machine()
        if (machine.monitor.status.value.fullLooks == 0L) look(machine)
        if (!healthToo) return machine
        withTimeoutOrNull(READING) {
            machine.devices.combine(machine.health.reports) { devices, reports ->
                devices.healthTargets().all { reports[it.id]?.checked != null }
            }.first { it }
        }
        return machine
    }

    private suspend fun look(machine: Machine) {
        val why = try {
            if (withTimeoutOrNull(LOOK) { machine.monitor.rescan() } != null) return
            "there was no answer within $LOOK"
        } catch (e: IOException) {
            e.cause?.message ?: e.message.orEmpty()
        }
        throw KernelError.DeviceUnusable("the machine's devices cannot be looked at", why, "look at the system's log")
    }

    private suspend fun views(machine: Machine): List<DeviceView> {
        val users = users()
        val devices = machine.devices.value
        val reports = machine.health.reports.value
        return devices.values.sortedBy { it.path ?: it.name }.map { device ->
            device.toView(users.of(device, devices), reports[device.id.toString()]?.toView())
        }
    }

    private suspend fun users(): Users =
        Users.of(kernel.arrays.value.values.map { it.status.value }, kernel.protection.status.value) + others()

    private fun rounds(): List<RoundView> = kernel.events.replayCache.mapNotNull { event ->
        (event.occurrence as? MemoryReleased)?.let {
            RoundView(event.time.toString(), it.asked, it.released, it.confirmed, it.cause)
        }
    }.takeLast(ROUNDS)

    private fun thresholds(machine: Machine) = HealthConfiguration.of(machine.thresholds.policy.value)

    private fun gone(name: String) =
        KernelError.NotFound("there is no device $name", "it went this moment", "see what there is: arraywright hardware list")

    private companion object {
        val LOOK = 10.seconds
        val READING = 3.seconds
        const val ROUNDS = 8
    }
}
