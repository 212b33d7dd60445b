package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.CapabilityProbe
import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.hardware.tree.SystemTree

/** More than one NUMA node. */
internal class NumaProbe(private val sys: SystemTree) : CapabilityProbe {
    override suspend fun look(): Capability {
        val nodes = sys.names(NODES).filter { it.startsWith("node") && it.drop(4).toIntOrNull() != null }
        val details = buildMap {
            put("nodes", "${nodes.size}")
            sys.text("$NODES/online")?.let { put("online", it) }
            for (node in nodes) sys.text("$NODES/$node/cpulist")?.let { put(node, "cpus $it") }
        }
        return when {
            nodes.size > 1 -> Capability.present(NAME, details)
            nodes.size == 1 -> Capability.absent(NAME, "the machine has one node", details)
            else -> Capability.absent(NAME, sys.why(NODES) ?: "the kernel was built without NUMA")
        }
    }

    companion object {
        const val NAME: String = "numa"
        private const val NODES = "devices/system/node"
    }
}

/** NVMe controllers with a driver. */
internal class NvmeProbe(private val sys: SystemTree) : CapabilityProbe {
    override suspend fun look(): Capability {
        val controllers = sys.names("class/nvme")
        val details = buildMap {
            for (each in controllers) put(each, sys.text("class/nvme/$each/model") ?: "unknown model")
        }
        if (details.isNotEmpty()) return Capability.present(NAME, details)
        val idle = sys.names(PCI).filter { sys.text("$PCI/$it/class").orEmpty().startsWith(NVME_CLASS) }
        val reason =
            when {
                idle.isNotEmpty() -> "no driver has taken ${idle.joinToString()}: is the module nvme there?"
                else -> sys.why("") ?: "the machine has no NVMe controller"
            }
        return Capability.absent(NAME, reason)
    }

    companion object {
        const val NAME: String = "nvme"
        private const val PCI = "bus/pci/devices"
        private const val NVME_CLASS = "0x0108"
    }
}

/** A virtio balloon with a driver. */
internal class BalloonProbe(private val sys: SystemTree) : CapabilityProbe {
    override suspend fun look(): Capability {
        val balloon = sys.names(VIRTIO).firstOrNull { number(sys.text("$VIRTIO/$it/device")) == BALLOON }
        if (balloon == null) return Capability.absent(NAME, reason())
        val driver = sys.linkName("$VIRTIO/$balloon/driver")
        // As the kernel writes them: a digit a bit, bit 0 first.
        val bits = sys.text("$VIRTIO/$balloon/features").orEmpty()
        val features = FEATURES.filterIndexed { bit, _ -> bits.getOrNull(bit) == '1' }
        val details =
            mapOf("device" to balloon, "driver" to (driver ?: "none"), "features" to features.joinToString(" "))
        return if (driver != null)
            Capability.present(NAME, details)
        else
            Capability.absent(NAME, "no driver has taken $balloon: is the module virtio_balloon there?", details)
    }

    private fun reason() =
        sys.why("") ?: sys.why(VIRTIO)?.let { "the machine has no virtio: $it" } ?: "the hypervisor gives no balloon"

    private fun number(text: String?) = text?.removePrefix("0x")?.toIntOrNull(16)

    companion object {
        const val NAME: String = "virtio-balloon"
        private const val VIRTIO = "bus/virtio/devices"

        /** The device type and its feature bits: virtio 1.2, 5.5. */
        private const val BALLOON = 5
        private val FEATURES =
            listOf(
                "must-tell-host",
                "stats",
                "deflate-on-oom",
                "free-page-hinting",
                "page-poison",
                "free-page-reporting",
            )
    }
}

/** A hypervisor below; the details are there on bare metal too. */
internal class HypervisorProbe(private val detector: HypervisorDetector) : CapabilityProbe {
    override suspend fun look(): Capability {
        val found = detector.detect()
        val details = buildMap {
            put("kind", "${found.hypervisor}")
            put("confidence", "${found.machine.confidence}")
            put("evidence", found.machine.evidence.joinToString(" | "))
            put("container", "${found.container}")
            put("container evidence", found.runtime.evidence.joinToString(" | "))
            if (found.controlDomain) put("control domain", "yes")
            if (found.unread.isNotEmpty()) put("not read", found.unread.joinToString(" | "))
        }.filterValues(String::isNotEmpty)
        return when {
            found.isVirtualMachine -> Capability.present(NAME, details)
            found.controlDomain -> Capability.absent(NAME, "this domain drives the hardware itself", details)
            found.machine.evidence.isEmpty() -> Capability.absent(NAME, "nothing tells what the machine is", details)
            else -> Capability.absent(NAME, "this is bare metal", details)
        }
    }

    companion object {
        const val NAME: String = "hypervisor"
    }
}
