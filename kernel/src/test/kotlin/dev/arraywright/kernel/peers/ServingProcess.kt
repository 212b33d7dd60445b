package dev.arraywright.kernel.peers

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.runBlocking
import java.io.File
import java.nio.file.Path

/**
 * A process of its own that serves a RAID-6 of files in a directory: made on the first start, assembled on later ones.
 * Ends when its standard input does, or by [kill].
 */
internal class ServingProcess private constructor(private val process: Process, val uri: String, val health: String) :
    AutoCloseable {
        /** SIGKILL: no handler runs, nothing is flushed. */
        fun kill() {
            process.destroyForcibly().waitFor()
        }

        /** Ends it cleanly and expects that it says so. */
        fun stop() {
            process.outputStream.close()
            check(process.waitFor() == 0) { "the serving process ended with ${process.exitValue()}" }
        }

        override fun close(): Unit = kill()

        companion object {
            fun start(dir: File): ServingProcess {
                val command = listOf(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules=jdk.incubator.vector",
                    "--enable-native-access=ALL-UNNAMED",
                    "-XX:+UseSerialGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "dev.arraywright.kernel.peers.ServingProcessKt",
                    dir.path,
                )
                val process = ProcessBuilder(command).redirectError(File(dir, "serving.log")).start()
                val ready = process.inputReader().readLine()
                    ?: throw AssertionError("the serving process ended: " + File(dir, "serving.log").readText())
                val (uri, health) = ready.split(' ')
                return ServingProcess(process, uri, health)
            }
        }
    }

fun main(arguments: Array<String>): Unit = runBlocking {
    val dir = File(arguments.single())
    val members = (0 until 5).map { "file:${dir.path}/m$it.img" }
    ArraywrightKernel.start().use { kernel ->
        val array = if (File(dir, "m0.img").exists()) {
            kernel.assembleArray(members)
        } else {
            kernel.createArray(
                ArraySpec(
                    "vault",
                    RaidLevel.RAID6,
                    members,
                    chunk = 64 * 1024,
                    createFilesOf = 64L shl 20,
                    assumeClean = true,
                ),
            )
        }
        kernel.listen(NbdConfiguration(socket = "${dir.path}/nbd.sock"))
        println(
            "${kernel.export(
                "vault",
            ).uri} ${array.status.value.health}/${if (array.status.value.activity == null) "idle" else "resync"}",
        )
        System.`in`.readAllBytes()
    }
}
