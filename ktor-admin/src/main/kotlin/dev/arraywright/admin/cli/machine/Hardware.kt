package dev.arraywright.admin.cli.machine

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.cli.protect.Family
import dev.arraywright.admin.console.DeviceText
import dev.arraywright.admin.console.MachineText

/** `arraywright hardware` */
internal fun hardware() = Family(
    "hardware",
    "The machine: its devices and their health, what it can do, how short memory is.",
    HardwareList(),
    HardwareShow(),
    HardwareWatch(),
    Capabilities(),
    PlatformShow(),
    Memory(),
    Numa(),
)

private class HardwareList :
    MachineCommand(
        "list",
        "Show the disks: what they are, whether they are well, and who uses them or that they are free.",
        "arraywright hardware list",
        "arraywright hardware list --free",
        "arraywright hardware list --all -o json",
    ) {
    private val all by option().flag()
        .help("also partitions, loop devices, arrays, controllers, network cards and accelerators")
    private val free by option().flag().help("only what could be given away")
    private val rescan by option().flag().help("look at everything anew first")

    override suspend fun execute() {
        val seen = survey { if (rescan) it.rescan() else it.hardware() }
        val shown = seen.copy(devices = seen.devices.filter { (all || it.disk) && (!free || it.free) })
        show(shown) { DeviceText.table(it.devices, it.source, none()) }
    }

    private fun none(): String = listOf(
        if (all) "there is no device" else "there is no disk",
        if (free) " that is free" else "",
        if (all) "" else "; see also --all",
    ).joinToString("")
}

private class HardwareShow :
    MachineCommand(
        "show",
        "Show all that is known of a device, with its health and why it is not known where it is not.",
        "arraywright hardware show /dev/nvme0n1",
        "arraywright hardware show sda -o json",
    ) {
    private val device by argument().help("a path, a name, a serial number, or an id as list -o json has it")

    override suspend fun execute() {
        show(survey { it.device(device) }, DeviceText::detail)
    }
}

private class Capabilities :
    MachineCommand(
        "capabilities",
        "Show what the machine and its kernel can do, and why not where they cannot.",
        "arraywright hardware capabilities",
    ) {
    override suspend fun execute() {
        show(survey { it.capabilities() }, MachineText::capabilities)
    }
}

private class PlatformShow :
    MachineCommand(
        "platform",
        "Show what the machine runs on, hypervisor and container, with the evidence.",
        "arraywright hardware platform",
    ) {
    override suspend fun execute() {
        show(survey { it.platform() }, MachineText::platform)
    }
}

private class Memory :
    MachineCommand(
        "memory",
        "Show how short memory is, what that is judged by, and what was given back lately.",
        "arraywright hardware memory",
    ) {
    override suspend fun execute() {
        show(survey { it.memory() }, MachineText::memory)
    }
}

private class Numa :
    MachineCommand(
        "numa",
        "Show the NUMA nodes with their memory, CPUs, distances and devices, or why there are none.",
        "arraywright hardware numa",
    ) {
    override suspend fun execute() {
        show(survey { it.numa() }, MachineText::numa)
    }
}
