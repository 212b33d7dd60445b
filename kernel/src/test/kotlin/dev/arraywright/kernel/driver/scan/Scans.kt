package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import io.kotest.assertions.withClue
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import java.nio.file.Path

/** The most usual driver: type `org.example.Ram`, name `ram`. */
internal fun ramJar(annotation: String = """supportedDevices = "ram"""", version: String = "1.0.0"): DriverJar =
    DriverJar().source(RAM, driverSource(RAM, version = version, annotation = annotation))

internal const val RAM = "org.example.Ram"

/** Why the one scanned jar was rejected. */
internal fun ScanResult.whyRejected(): String = withClue(this) {
    candidates shouldHaveSize 0
    rejected.single().why
}

/** The drivers of the scanned jars, none of which was rejected. */
internal fun ScanResult.infos(): List<DriverInfo> = withClue(this) {
    rejected shouldHaveSize 0
    candidates.map { it.info }
}

internal fun DriverScanner.infos(jar: Path): List<DriverInfo> = scan(jar).infos()

internal infix fun ScanResult.shouldName(names: List<String>) {
    infos().map { it.name } shouldBe names
}
