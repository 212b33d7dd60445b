package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.CapabilityProbe
import dev.arraywright.hardware.tree.CgroupMembershipParser
import dev.arraywright.hardware.tree.MountInfoParser
import dev.arraywright.hardware.tree.SystemTree

/**
 * Where control groups of version 2 are.
 *
 * @property mount where they are mounted
 * @property path this process's group in its hierarchy
 * @property own that group's directory; null if the mount does not show it
 * @property legacy controllers that version 1 has
 */
internal data class CgroupPlace(val mount: String?, val path: String?, val own: String?, val legacy: List<String>)

/** Finds this process's control group by [proc] in the files of [root]. */
internal class Cgroups(private val root: SystemTree, private val proc: SystemTree) {
    fun find(): CgroupPlace {
        val groups = CgroupMembershipParser.parse(proc.raw("self/cgroup").orEmpty())
        val mount = MountInfoParser.own(proc).firstOrNull { it.type == "cgroup2" }
        val path = groups.firstOrNull { it.isUnified }?.path
        val legacy = groups.flatMap { it.controllers }.filterNot { it.startsWith("name=") }
        return CgroupPlace(mount?.point, path, mount?.let { own(it.root, it.point, path) }, legacy.sorted())
    }

    fun text(path: String): String? = root.text(path.removePrefix("/"))

    /** A container may be shown no more than its own part of the hierarchy, as the mount's root. */
    private fun own(top: String, target: String, path: String?): String? {
        val below = path?.removePrefix(top.removeSuffix("/"))?.trim('/') ?: return null
        return (if (below.isEmpty()) target else "$target/$below").takeIf(::isGroup)
    }

    private fun isGroup(path: String) =
        listOf("cgroup.procs", "cgroup.controllers").any { root.exists("${path.removePrefix("/")}/$it") }
}

/** Control groups of version 2. */
internal class CgroupProbe(private val cgroups: Cgroups, private val proc: SystemTree) : CapabilityProbe {
    override suspend fun look(): Capability {
        val place = cgroups.find()
        val controllers = place.own?.let { cgroups.text("$it/cgroup.controllers") }
        val details = buildMap {
            place.mount?.let {
                put("mount", it)
                put("mode", if (place.legacy.isEmpty()) "unified" else "hybrid")
            }
            place.path?.let { put("path", it) }
            place.own?.let {
                put("directory", it)
                put("controllers", controllers ?: "none")
            }
            if (place.legacy.isNotEmpty()) put("version 1", place.legacy.joinToString(" "))
        }
        val reason =
            when {
                place.mount != null && place.own != null -> return Capability.present(NAME, details)
                place.mount != null -> "${place.mount} does not show this process's group ${place.path ?: ""}".trimEnd()
                place.legacy.isNotEmpty() -> "only version 1 is mounted here"
                else -> proc.why("self/mountinfo") ?: "no control groups are mounted here"
            }
        return Capability.absent(NAME, reason, details)
    }

    companion object {
        const val NAME: String = "cgroup-v2"
    }
}
