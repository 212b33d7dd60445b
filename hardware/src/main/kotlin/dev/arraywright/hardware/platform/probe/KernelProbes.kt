package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.SystemCalls
import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.CapabilityProbe
import dev.arraywright.hardware.platform.facts.CommandLineParser
import dev.arraywright.hardware.tree.SystemTree

/** A system call of the running kernel: why it cannot be made, and what it returns, a value or a negative errno. */
internal class KernelCall(val absence: String?, val call: () -> Long) {
    companion object {
        val IO_URING = KernelCall(SystemCalls.absence, SystemCalls::ioUringFeatures)
        val LANDLOCK = KernelCall(SystemCalls.absence, SystemCalls::landlockVersion)

        fun error(errno: Long): String = "${Posix.strerror(errno.toInt())} (errno $errno)"
    }
}

/** io_uring(7): makes a ring and closes it, as an administrator or a seccomp filter may forbid it. */
internal class IoUringProbe(private val proc: SystemTree, private val setup: KernelCall) : CapabilityProbe {
    override suspend fun look(): Capability {
        setup.absence?.let { return Capability.absent(NAME, it) }
        val disabled = proc.int("sys/kernel/io_uring_disabled")
        val details = buildMap { disabled?.let { put("io_uring_disabled", "$it") } }
        val result = setup.call()
        if (result < 0) return Capability.absent(NAME, reason(-result, disabled), details)
        val features = FEATURES.filterIndexed { bit, _ -> result shr bit and 1 == 1L }
        return Capability.present(
            NAME,
            details + mapOf("bits" to "0x${result.toString(16)}", "features" to features.joinToString(" ")),
        )
    }

    private fun reason(errno: Long, disabled: Int?) =
        when (errno.toInt()) {
            Errno.ENOSYS -> "the kernel was built without io_uring, or is older than 5.1"
            Errno.EPERM ->
                when (disabled) {
                    2 -> "the administrator switched it off: kernel.io_uring_disabled is 2"
                    1 -> "kernel.io_uring_disabled is 1, and this process is not in the group io_uring_group"
                    else -> "it is forbidden to this process, most likely by a seccomp filter of its container"
                }
            else -> "io_uring_setup failed: ${KernelCall.error(errno)}"
        }

    companion object {
        const val NAME: String = "io_uring"

        /** IORING_FEAT_ of linux/io_uring.h, from bit 0 on. */
        private val FEATURES =
            (
                "single_mmap nodrop submit_stable rw_cur_pos cur_personality fast_poll poll_32bits sqpoll_nonfixed " +
                    "ext_arg native_workers rsrc_tags cqe_skip linked_file reg_reg_ring recvsend_bundle min_timeout " +
                    "rw_attr no_iowait"
            ).split(' ')
    }
}

/** Landlock's interface version; asking for it makes no ruleset. */
internal class LandlockProbe(private val sys: SystemTree, private val version: KernelCall) : CapabilityProbe {
    override suspend fun look(): Capability {
        version.absence?.let { return Capability.absent(NAME, it) }
        val modules = sys.text("kernel/security/lsm")
        val details = buildMap { modules?.let { put("lsm", it) } }
        val result = version.call()
        return if (result > 0)
            Capability.present(NAME, mapOf("abi" to "$result") + details)
        else
            Capability.absent(NAME, reason(-result), details)
    }

    private fun reason(errno: Long) =
        when (errno.toInt()) {
            Errno.ENOSYS -> "the kernel was built without Landlock, or is older than 5.13"
            Errno.EOPNOTSUPP -> "Landlock was not switched on at boot: it is not in the list lsm="
            Errno.EPERM -> "it is forbidden to this process, most likely by a seccomp filter of its container"
            else -> "landlock_create_ruleset failed: ${KernelCall.error(errno)}"
        }

    companion object {
        const val NAME: String = "landlock"
    }
}

/** Pressure stall information, of the system and of the own control group. */
internal class PsiProbe(private val proc: SystemTree, private val cgroups: Cgroups) : CapabilityProbe {
    override suspend fun look(): Capability {
        // A kernel that has switched it off may show the files and refuse to be read.
        val files = proc.names("pressure").filter { proc.text("pressure/$it") != null }
        val group = cgroups.find().own
        val own = listOf("cpu", "io", "memory").map { "$group/$it.pressure" }.filter { cgroups.text(it) != null }
        val details = buildMap {
            put("system", files.joinToString(" "))
            if (group != null) put("cgroup", own.joinToString(" "))
        }.filterValues(String::isNotEmpty)
        return if (files.isNotEmpty()) Capability.present(NAME, details) else Capability.absent(NAME, reason(), details)
    }

    private fun reason(): String {
        val options = CommandLineParser.parse(proc.text("cmdline").orEmpty())
        val off = options.lastOrNull { it.first == "psi" }?.second in setOf("0", "off", "n", "no")
        if (off) return "it was switched off at boot by psi=0"
        val why = proc.why("pressure") ?: "nothing in /proc/pressure can be read"
        return "$why; the kernel was built without PSI, or wants psi=1 at boot"
    }

    companion object {
        const val NAME: String = "psi"
    }
}

/** Huge pages: those set aside by size, and transparent ones. */
internal class HugePagesProbe(private val sys: SystemTree) : CapabilityProbe {
    override suspend fun look(): Capability {
        var total = 0L
        val details = LinkedHashMap<String, String>()
        val sizes = sys.names(POOLS).mapNotNull { it.removePrefix("hugepages-").removeSuffix("kB").toLongOrNull() }
        for (kib in sizes.sorted()) {
            val pool = "$POOLS/hugepages-${kib}kB"
            val count = sys.long("$pool/nr_hugepages") ?: 0
            total += count
            details["${kib}kB"] = "total $count free ${sys.long("$pool/free_hugepages") ?: 0}"
        }
        val transparent = sys.text("$TRANSPARENT/enabled")?.substringAfter('[', "")?.substringBefore(']')
        if (!transparent.isNullOrEmpty()) details["transparent"] = transparent
        val usable = transparent == "always" || transparent == "madvise"
        val reason =
            when {
                total > 0 || usable -> return Capability.present(NAME, details)
                details.isEmpty() -> "the kernel has no huge pages: ${sys.why(POOLS) ?: "$POOLS is empty"}"
                else -> "none are set aside (vm.nr_hugepages), and transparent ones are ${transparent ?: "not there"}"
            }
        return Capability.absent(NAME, reason, details)
    }

    companion object {
        const val NAME: String = "hugepages"
        private const val POOLS = "kernel/mm/hugepages"
        private const val TRANSPARENT = "kernel/mm/transparent_hugepage"
    }
}
