package dev.arraywright.hardware.platform

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.platform.facts.ContainerRules
import dev.arraywright.hardware.platform.facts.HypervisorRules
import dev.arraywright.hardware.platform.facts.PlatformFacts
import dev.arraywright.hardware.platform.facts.PlatformReader
import java.nio.file.Path

/**
 * Finds out what the machine runs on: collects [facts][PlatformFacts], then applies rules to them. Each rule that holds
 * gives evidence of a weight, and the weightiest evidence wins; all of it is in the result. Thread-safe; blocks for the
 * few milliseconds of reading about thirty small files.
 */
public class HypervisorDetector internal constructor(
    root: Path,
    cpuid: Cpuid?,
    cpuidAbsence: String?,
    environment: Map<String, String>,
) {
    private val reader = PlatformReader(root, cpuid, cpuidAbsence, environment)

    /** For the machine that this process runs on. */
    public constructor() : this(Path.of("/"), Cpuid.native, Cpuid.absence, System.getenv())

    /** Looks now; never fails. */
    public fun detect(): Platform = judge(reader.read())

    internal companion object {
        fun judge(facts: PlatformFacts): Platform =
            Platform(
                HypervisorRules.judge(facts),
                ContainerRules.judge(facts.container),
                HypervisorRules.isControlDomain(facts),
                facts.unread,
            )
    }
}
