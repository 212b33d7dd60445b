package dev.arraywright.hardware.device

import dev.arraywright.hardware.device.block.BlockSpecialDriver
import dev.arraywright.hardware.device.file.FileDriver
import java.nio.file.Path

/** The program of a second JVM: opens the file or block device named and holds it until its standard input ends. */
internal object HoldingProcess {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val address = arguments.single()
        val driver = if (address.startsWith("block:")) BlockSpecialDriver() else FileDriver()
        driver.ready().open(address).use {
            println("open")
            System.`in`.readAllBytes()
        }
    }
}

/** Runs [block] while another JVM has the device open. */
internal fun heldElsewhere(address: String, block: (Process) -> Unit) {
    val process = ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path"),
        HoldingProcess::class.java.name,
        address,
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    try {
        check(process.inputReader().readLine() == "open") { "the other JVM could not open $address" }
        block(process)
    } finally {
        process.outputStream.close()
        process.waitFor()
    }
}
