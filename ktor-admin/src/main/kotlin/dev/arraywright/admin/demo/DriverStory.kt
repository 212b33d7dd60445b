package dev.arraywright.admin.demo

import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.Progress
import dev.arraywright.admin.control.CreateRequest
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverHandle
import dev.arraywright.kernel.driver.lifecycle.DriverState
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.net.URI
import java.nio.ByteBuffer
import java.nio.file.Path
import java.util.SplittableRandom
import kotlin.io.path.copyTo
import kotlin.io.path.createDirectory
import kotlin.io.path.isDirectory
import kotlin.io.path.listDirectoryEntries
import kotlin.time.Duration.Companion.seconds

/**
 * The demo's second story: the jar of the sample driver, from below [samples], is dropped in a directory and loaded,
 * its devices, overlays over images, become an array, and once the array is stopped the driver is unloaded again.
 * Where there is no such jar, one step says so.
 */
internal class DriverStory(
    private val kernel: ArraywrightKernel,
    private val control: KernelControl,
    private val directory: Path,
    private val samples: Path?,
    private val steps: Steps,
    private val progress: () -> Progress,
) {
    suspend fun play() {
        val jar = withContext(Dispatchers.IO) { jar() }
        if (jar == null) {
            steps.step("drop in the jar of a driver") {
                Unit to "left out, as the sample's is not built (ARRAYWRIGHT_REBUILD=1 ./arraywright demo builds it)"
            }
            return
        }
        val driver = load(jar)
        val images = create()
        writeAndRead(images)
        unload(driver)
    }

    private fun jar(): Path? = samples?.resolve(BUILT)?.takeIf { it.isDirectory() }?.listDirectoryEntries(JARS)
        ?.find { jar -> OTHER_JARS.none { "$jar".endsWith(it) } }

    private suspend fun load(jar: Path): DriverHandle = steps.step("drop in the jar of a driver, and load it") {
        val drivers = directory.resolve("drivers")
        withContext(Dispatchers.IO) { jar.copyTo(drivers.createDirectory().resolve("overlay.jar")) }
        val found = kernel.drivers.scan(drivers).candidates.single()
        val driver = kernel.drivers.load(found.jar)
        check(driver.state.value == DriverState.Running) { "the loaded driver is $driver" }
        driver to "${driver.info} is running and serves ${driver.info.supportedDevices.joinToString { "$it:" }}"
    }

    private suspend fun create(): List<DiskImage> = steps.step("create a RAID-5 of $MEMBERS overlays over images") {
        val images = List(MEMBERS) { DiskImage.random(directory.resolve("base$it.img"), IMAGE_SIZE) }
        val overlays = images.mapIndexed { i, image ->
            URI("overlay", null, "${image.path}", "delta=${directory.resolve("changes$i.delta")}", null).toString()
        }
        control.create(CreateRequest(NAME, "5", overlays))
        val array = progress().use { control.awaitIdle(NAME, it::show) }
        check(array.health == ArrayHealth.OPTIMAL) { "an array of overlays is ${array.health}" }
        images to "${DetailText.rounded(array.size)}, ${array.health.name.lowercase()}"
    }

    private suspend fun writeAndRead(images: List<DiskImage>) {
        steps.step("write to it, read that back, and look at the images") {
            val array = kernel.arrays.value.getValue(NAME)
            val written = ByteBuffer.allocateDirect(WRITTEN)
            val random = SplittableRandom(SEED)
            while (written.hasRemaining()) written.putLong(random.nextLong())
            array.write(written.flip(), OFFSET)
            array.flush()
            val found = ByteBuffer.allocateDirect(WRITTEN)
            array.read(found, OFFSET)
            val differing = written.rewind().mismatch(found.rewind())
            check(differing < 0) { "the array of overlays differs at byte ${OFFSET + differing}" }
            images.forEach { check(it.isUnchanged()) { "${it.path} was written to" } }
            Unit to "${DetailText.rounded(WRITTEN.toLong())} are equal, and every image is as it was"
        }
    }

    private suspend fun unload(driver: DriverHandle) {
        steps.step("unload the driver while it is used") {
            val refusal = try {
                kernel.drivers.unload(driver.id)
                null
            } catch (e: KernelError.InUse) {
                e
            }
            checkNotNull(refusal) { "the driver of a running array was unloaded" }
            val status = kernel.drivers.status(driver.id)
            check(status?.state == DriverState.Running) { "after a refusal the driver is ${status?.state}" }
            Unit to "refused, as $MEMBERS of its devices are members of $NAME"
        }
        steps.step("stop the array, and unload the driver") {
            control.stop(NAME, forget = false)
            kernel.drivers.unload(driver.id)
            val end = withTimeout(PATIENCE) {
                driver.state.first { it == DriverState.Unloaded || it is DriverState.Leaked }
            }
            check(end == DriverState.Unloaded) { "the driver is still in memory: $end" }
            Unit to "it is gone, and nothing of it is in memory"
        }
    }

    private companion object {
        const val BUILT = "java-driver/target"
        const val JARS = "overlay-driver-*.jar"
        val OTHER_JARS = listOf("-sources.jar", "-javadoc.jar", "-tests.jar")
        const val NAME = "overlaid"
        const val MEMBERS = 3
        const val IMAGE_SIZE = 16L shl 20
        const val WRITTEN = 8 shl 20
        const val OFFSET = 1L shl 20
        const val SEED = 5L
        val PATIENCE = 30.seconds
    }
}
