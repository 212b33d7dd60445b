package dev.arraywright.samples.benchmarks.driver

import dev.arraywright.kernel.driver.scan.DriverScanner
import java.nio.file.Path
import java.util.zip.ZipFile

/** One look for drivers in a jar, and the least that any look takes that reads all of it. */
internal object JarScan {
    /** Nanoseconds. */
    fun scan(jar: Path): Long = timed {
        val found = DriverScanner().scan(jar)
        check(found.candidates.size == 1) { "a scan found $found" }
    }

    /** All entries, inflated one after the other. */
    fun inflate(jar: Path): Long = timed {
        val buffer = ByteArray(64 * 1024)
        ZipFile(jar.toFile()).use { zip ->
            for (entry in zip.entries()) {
                zip.getInputStream(entry).use {
                    var count = 0
                    while (count >= 0) count = it.read(buffer)
                }
            }
        }
    }

    inline fun timed(block: () -> Unit): Long {
        val began = System.nanoTime()
        block()
        return System.nanoTime() - began
    }
}
