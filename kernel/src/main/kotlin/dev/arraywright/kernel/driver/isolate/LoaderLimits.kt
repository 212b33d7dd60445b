package dev.arraywright.kernel.driver.isolate

import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How much a driver may cost to load.
 *
 * @property deadline for reading the jar, and again for its static initialisers and constructor
 * @property bytes of the jar, its private dependencies and the native libraries that it loads, together
 * @property entries in any one jar
 * @property classBytes of any one class
 * @property libraries private dependencies, inside and beside the jar
 * @property stranded loads that were given up and still hang, each with its thread: beyond, no driver is loaded
 * @property scratch where the private copies are made; they have no name there once they are open, except those
 *   of native libraries, which are deleted when the driver is unloaded
 */
public data class LoaderLimits(
    val deadline: Duration = 10.seconds,
    val bytes: Long = 512L shl 20,
    val entries: Int = 200_000,
    val classBytes: Int = 16 shl 20,
    val libraries: Int = 128,
    val stranded: Int = 16,
    val scratch: Path = Path.of(System.getProperty("java.io.tmpdir")),
)
