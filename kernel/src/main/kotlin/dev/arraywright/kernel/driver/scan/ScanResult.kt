package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverInfo
import java.nio.file.Path

/**
 * What a scan found, in the order of the jars' names, and in a jar of the drivers' names.
 *
 * @property candidates drivers that can be loaded; a jar may have several
 * @property rejected jars that nothing is to be loaded from
 * @property libraries sound jars that announce no driver
 */
public data class ScanResult(
    public val candidates: List<DriverCandidate> = emptyList(),
    public val rejected: List<RejectedJar> = emptyList(),
    public val libraries: List<Path> = emptyList(),
)

/**
 * A driver that [jar] announces.
 *
 * @property notes what could not be told without loading it, in words for an operator
 */
public data class DriverCandidate(
    public val jar: Path,
    public val info: DriverInfo,
    public val notes: List<String> = emptyList(),
)

/** A jar that is refused as a whole, and [why] in words for an operator, to be read after the jar's name. */
public data class RejectedJar(public val jar: Path, public val why: String)

/** The jar being scanned is to be rejected, because it [why]. */
internal class UnfitJar(val why: String, cause: Throwable? = null) : Exception(why, cause)
