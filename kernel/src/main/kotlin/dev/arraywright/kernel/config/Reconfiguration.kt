package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError

/** What became of a configuration that took the place of another one in a running kernel. */
public data class Reconfiguration(
    /** What could not be brought about; the rest counts nevertheless. */
    public val failures: List<KernelError> = emptyList(),
    /** What does not count yet or was left as it is, and what to do about it; a line each. */
    public val notes: List<String> = emptyList(),
)
