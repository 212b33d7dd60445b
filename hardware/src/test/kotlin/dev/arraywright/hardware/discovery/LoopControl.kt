package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.orThrow
import java.nio.file.Path
import kotlin.io.path.exists

/** Loop devices of a spec's own, made, attached and removed by ioctl, as thousands of processes would take too long. */
internal object LoopControl {
    private const val LOOP_SET_FD = 0x4C00L
    private const val LOOP_CLR_FD = 0x4C01L
    private const val LOOP_CTL_ADD = 0x4C80L
    private const val LOOP_CTL_REMOVE = 0x4C81L

    /** A number that no loop device has, out of the way of losetup --find, and of the specs in another process. */
    fun free(skip: Int = 0): Int {
        val start = 1000 + (ProcessHandle.current().pid() % 10_000).toInt() * 10
        return generateSequence(start) {
            it + 1
        }.filterNot { Path.of("/sys/block/loop$it").exists() }.drop(skip).first()
    }

    fun add(name: String) = control(LOOP_CTL_ADD, name)

    fun remove(name: String) = control(LOOP_CTL_REMOVE, name)

    fun attach(name: String, file: Path) {
        open("$file").use { backing ->
            open("/dev/$name").use { loop ->
                backing.number { fd -> retried { loop.ioctl(LOOP_SET_FD, fd.toLong()) } }.orThrow("LOOP_SET_FD")
            }
        }
    }

    fun detach(name: String) {
        open("/dev/$name").use { loop ->
            val result = retried { loop.ioctl(LOOP_CLR_FD, 0) }
            if (result != -Errno.ENXIO.toLong()) result.orThrow("LOOP_CLR_FD")
        }
    }

    /** Somebody else may have it open for a moment, to see what it is. */
    private fun retried(call: () -> Long): Long =
        generateSequence(call).take(1000).firstOrNull { it != -Errno.EBUSY.toLong() } ?: -Errno.EBUSY.toLong()

    private fun control(request: Long, name: String) {
        open("/dev/loop-control").use { control ->
            retried { control.ioctl(request, name.removePrefix("loop").toLong()) }.orThrow("loop-control")
        }
    }

    private fun open(path: String) = Descriptor.open(path, Posix.O_RDWR)
}
