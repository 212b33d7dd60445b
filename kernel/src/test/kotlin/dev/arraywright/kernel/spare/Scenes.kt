package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.withTimeout
import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.seconds

internal const val MIB = 1L shl 20

/** RAID-5 of three: `memory:16MiB#NAME-0` and so on. */
internal suspend fun ArraywrightKernel.vault(
    name: String = "vault",
    spares: List<String> = emptyList(),
    size: Int = 16,
    bitmap: Int? = null,
): ArrayHandle = createArray(
    ArraySpec(
        name,
        RaidLevel.RAID5,
        List(3) { member(name, it, size) },
        spares,
        chunk = 64 * 1024,
        assumeClean = true,
        bitmapChunk = bitmap,
    ),
)

internal fun member(array: String, slot: Int, size: Int = 16): String = "memory:${size}MiB#$array-$slot"

/** Events up to when all of these have been there. */
internal suspend fun ArraywrightKernel.until(vararg topics: Topic, from: Long = 1): List<KernelEvent> =
    withTimeout(60.seconds) {
        val wanted = topics.toMutableSet()
        eventsSince(from).transformWhile {
            emit(it)
            wanted -= it.topic
            wanted.isNotEmpty()
        }.toList()
    }

internal suspend fun ArrayHandle.healthy() {
    withTimeout(60.seconds) { status.first { it.health == ArrayHealth.OPTIMAL } }
}

internal suspend fun Protection.shows(condition: (ProtectionStatus) -> Boolean): ProtectionStatus =
    withTimeout(60.seconds) { status.first(condition) }

internal suspend fun ArrayHandle.put(bytes: ByteArray, offset: Long = 0) {
    write(ByteBuffer.wrap(bytes), offset)
    flush()
}

internal suspend fun ArrayHandle.get(count: Int, offset: Long = 0): ByteArray {
    val buffer = ByteBuffer.allocateDirect(count)
    read(buffer, offset)
    return ByteArray(count).also(buffer::get)
}

/** A sparse file, by address. */
internal fun File.image(name: String, size: Long = 16 * MIB): String {
    val file = resolve(name)
    RandomAccessFile(file, "rw").use { it.setLength(size) }
    return "file:${file.path}"
}
