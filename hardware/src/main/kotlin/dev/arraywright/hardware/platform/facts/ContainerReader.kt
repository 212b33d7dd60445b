package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.tree.CgroupMembershipParser
import dev.arraywright.hardware.tree.MountInfoParser
import dev.arraywright.hardware.tree.SystemTree

/** Collects [ContainerFacts] from the files of [root] and [proc] and from this process's environment. */
internal class ContainerReader(
    private val root: SystemTree,
    private val proc: SystemTree,
    private val environment: Map<String, String>,
) {
    fun read(release: String?): ContainerFacts {
        val mounts = MountInfoParser.own(proc)
        return ContainerFacts(
            readable = proc.why("self") == null,
            marks = MARKS.filter { root.exists(it.drop(1)) }.associateWith { root.text(it.drop(1)).orEmpty() },
            environment = variables(),
            cgroups = cgroups("1") + cgroups("self"),
            mounts = mounts.filter { it.point in TARGETS }.associate { "${it.root} of ${it.source}" to it.point },
            // The last one covers those before it.
            root = mounts.lastOrNull { it.point == "/" }?.type,
            namespace = proc.linkName("self/ns/pid")?.substringAfter('[')?.substringBefore(']')?.toLongOrNull(),
            release = release,
        )
    }

    private fun variables() = buildMap {
        for (variable in VARIABLES) environment[variable]?.let { put("this process: $variable", it) }
        for (each in proc.bytes("1/environ")?.strings().orEmpty()) {
            if (each.substringBefore('=') in VARIABLES)
                put("process 1: ${each.substringBefore('=')}", each.substringAfter('=', ""))
        }
    }

    private fun cgroups(process: String) =
        CgroupMembershipParser.parse(proc.raw("$process/cgroup").orEmpty())
            .associate { it.path to "/proc/$process/cgroup" }

    private companion object {
        /** The last ones are Kubernetes'. */
        val MARKS =
            listOf(
                "/run/systemd/container",
                "/run/.containerenv",
                "/.dockerenv",
                "/run/secrets/kubernetes.io",
                "/var/run/secrets/kubernetes.io",
            )
        val VARIABLES = listOf("container", "KUBERNETES_SERVICE_HOST")

        /** Files that every runtime lays over the image's own. */
        val TARGETS = setOf("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
    }
}
