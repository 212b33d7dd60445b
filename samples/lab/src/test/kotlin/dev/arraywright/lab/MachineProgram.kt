package dev.arraywright.lab

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.machine.Machine
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.spare.HotSparePolicy
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Runs in the guest for [MachineLabSpec]: what the guest is, and a drive that warns of itself. */
internal object MachineProgram {
    @JvmStatic
    fun main(arguments: Array<String>) = inGuest(KernelOptions()) { told ->
        val kernel = told.kernel
        val machine = checkNotNull(kernel.machine)
        machine.thresholds.policy.value = HealthPolicy(period = 3.seconds, warnedPeriod = 2.seconds)
        describe(machine)
        health(machine)
        val (first, second, third) = (0..2).map { drive("LAB000$it") }
        kernel.createArray(ArraySpec("lab", RaidLevel.RAID1, listOf(first, second), assumeClean = true))
        kernel.protection.setPolicy(HotSparePolicy(healthCheckInterval = 2.seconds))
        kernel.protection.addSpare(third)
        warnOf(RELIABILITY)
        told.await(Topic.REBUILD_COMPLETE)
        warnOf(0)
        told.await(Topic.HARDWARE_HEALTH_RECOVERED)
    }

    private suspend fun describe(machine: Machine) {
        machine.platform().describe().lines().forEach { println("PLATFORM $it") }
        val capabilities = withTimeout(1.minutes) { machine.capabilities.capabilities.first { it.isNotEmpty() } }
        capabilities.values.forEach { println("CAPABILITY $it") }
        println("TOPOLOGY ${machine.topology?.nodes?.map { it.id }}")
    }

    private suspend fun health(machine: Machine) {
        val disks = withTimeout(1.minutes) { machine.devices.first { it.isNotEmpty() } }.values
        for (disk in disks.filter { DeviceFlag.NVME_NAMESPACE in it.flags }) {
            val report = checkNotNull(machine.health.check(disk.id.toString())) { "${disk.id} is not watched" }
            println("HEALTH ${disk.serial} ${report.health.status()} ${report.reading}")
        }
    }

    /** What drive 0 says of itself in its health log from now on. */
    private fun warnOf(bits: Int) {
        val what = """"path":"/machine/peripheral/nv0","property":"smart_critical_warning","value":$bits"""
        println("""@@QMP {"execute":"qom-set","arguments":{$what}}""")
    }

    /** Bit 2: reliability is degraded by media or internal errors. */
    private const val RELIABILITY = 4
}
