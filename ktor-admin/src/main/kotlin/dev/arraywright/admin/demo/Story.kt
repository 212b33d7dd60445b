package dev.arraywright.admin.demo

import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.Progress
import dev.arraywright.admin.control.AssembleRequest
import dev.arraywright.admin.control.ControlServer
import dev.arraywright.admin.control.CreateRequest
import dev.arraywright.admin.control.ExportRequest
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.MemberChange
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import java.io.RandomAccessFile
import java.nio.file.Path

/**
 * The demo's story: an array is made in [directory], exported, filled through NBD, loses a member under load, gets a
 * fresh one, and is stopped and assembled again; what was written is compared after every turn. Then [DriverStory] is
 * played. A byte that differs ends it with an [IllegalStateException].
 */
internal class Story(
    private val directory: Path,
    private val controlSocket: Path,
    private val samples: Path?,
    private val progress: () -> Progress,
) {
    private val members = List(MEMBERS + 1) { StorageAddress.File("${directory.resolve("m$it.img")}").toString() }
    private lateinit var steps: Steps

    suspend fun play(tell: (Step) -> Unit) {
        steps = Steps(tell)
        withKernel { kernel ->
            val control = KernelControl(kernel)
            ControlServer.start(controlSocket, control).use { play(kernel, control) }
        }
    }

    private suspend fun play(kernel: ArraywrightKernel, control: KernelControl) {
        create(control)
        val uri = step("export it over NBD") {
            kernel.listen(NbdConfiguration(socket = directory.resolve("nbd.sock").toString()))
            control.export(ExportRequest(NAME)).uri.let { it to it }
        }
        val image = step("make an image") { DiskImage.make(directory).let { it to it.description } }
        NbdClient.open(uri).use { client ->
            step("copy the image in through NBD, and read it back") {
                client.copyIn(image.path)
                Unit to equal(image.sha256, client.sha256(image.size), "the image")
            }
            val load = Load(client, from = image.size, length = client.size - image.size, seed = SEED)
            underLoad(control, load)
            step("read the load and the image back") { Unit to compare(client, image, load) }
            again(control, client, image, load)
        }
        DriverStory(kernel, control, directory, samples, steps, progress).play()
    }

    private suspend fun create(control: KernelControl) {
        step("create a RAID-6 of $MEMBERS files") {
            control.create(CreateRequest(NAME, "6", members.take(MEMBERS), size = MEMBER_SIZE))
            val array = progress().use { control.awaitIdle(NAME, it::show) }
            check(array.health == ArrayHealth.OPTIMAL) { "a new array is ${array.health}" }
            Unit to "${DetailText.rounded(array.size)}, ${array.health.name.lowercase()}"
        }
    }

    private suspend fun underLoad(control: KernelControl, load: Load): Unit = coroutineScope {
        val running = launch { load.run() }
        step("fail a member under load") {
            load.awaitWrites(WRITES)
            val array = control.change(NAME, MemberChange.FAIL, VICTIM.toString())
            load.awaitWrites(WRITES)
            check(array.health == ArrayHealth.DEGRADED) { "with a member failed, the array is ${array.health}" }
            Unit to "${array.health.name.lowercase()}, and the load goes on"
        }
        step("add a fresh member and rebuild, still under load") {
            control.change(NAME, MemberChange.REMOVE, members[VICTIM])
            val fresh = directory.resolve("m$MEMBERS.img")
            RandomAccessFile(fresh.toFile(), "rw").use { it.setLength(MEMBER_SIZE) }
            control.change(NAME, MemberChange.ADD, members.last())
            val array = progress().use { control.awaitIdle(NAME, it::show) }
            load.awaitWrites(WRITES)
            check(array.health == ArrayHealth.OPTIMAL) { "after the rebuild, the array is ${array.health}" }
            Unit to "${array.health.name.lowercase()}, ${load.writes} writes so far"
        }
        load.end()
        running.join()
    }

    private suspend fun again(control: KernelControl, client: NbdClient, image: DiskImage, load: Load) {
        client.close()
        step("stop it, and assemble it again") {
            control.unexport(NAME)
            control.stop(NAME, forget = false)
            val remaining = members.filterIndexed { slot, _ -> slot != VICTIM }
            val array = control.assemble(AssembleRequest(remaining))
            check(array.health == ArrayHealth.OPTIMAL && !array.dirty) {
                "assembled again, the array is ${array.health}"
            }
            Unit to "${array.health.name.lowercase()}, clean, events ${array.events}"
        }
        step("export it again, and read everything back") {
            NbdClient.open(control.export(ExportRequest(NAME)).uri).use { Unit to compare(it, image, load) }
        }
    }

    private suspend fun compare(client: NbdClient, image: DiskImage, load: Load): String {
        val same = equal(image.sha256, client.sha256(image.size), "the image")
        val blocks = load.verify(client)
        return "$same; $blocks blocks of the load are equal"
    }

    private fun equal(expected: String, found: String, what: String): String {
        check(expected == found) { "$what differs: SHA-256 $found instead of $expected" }
        return "$what is equal, SHA-256 ${found.take(SHOWN_DIGITS)}..."
    }

    private suspend fun <T> step(title: String, block: suspend () -> Pair<T, String>): T = steps.step(title, block)

    private companion object {
        const val NAME = "demo"
        const val MEMBERS = 5
        const val VICTIM = 1
        const val MEMBER_SIZE = 64L shl 20
        const val WRITES = 200L
        const val SEED = 20L
        const val SHOWN_DIGITS = 16
    }
}
