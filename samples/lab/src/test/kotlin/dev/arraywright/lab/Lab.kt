package dev.arraywright.lab

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.guard.SystemDeadlineTimer
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.testing.Peer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.security.MessageDigest
import java.time.Duration
import java.util.HexFormat
import kotlin.io.path.createDirectories
import kotlin.io.path.div
import kotlin.io.path.exists
import kotlin.io.path.writeBytes
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/**
 * An array in the lab: its members are slice [slice] of the first [members] drives, its [spares] follow them. There are
 * four drives; what would be on a fifth is on the first, in the next slice.
 */
internal data class Exhibit(val slice: Int, val level: Int, val members: Int, val spares: Int = 0) {
    val devices: Int get() = members + spares

    override fun toString() = "RAID-$level in slice $slice"
}

/**
 * The guest's drives as the host sees them while no guest runs, and arrays of this project on what was in them.
 * `guest/md.sh` cuts the drives into the same slices.
 */
internal class Lab : AutoCloseable {
    private val home = Path.of(System.getenv("LAB_HOME") ?: "${System.getProperty("user.home")}/.cache/arraywright-lab")
    private val pool = BufferPool(256L shl 20)
    private val timer = SystemDeadlineTimer()
    private val opener = DeviceOpener(pool, timer, BuiltInDrivers.of(FileDriver()))
    val arrays = Arrays(ArrayRuntime(Dispatchers.Default, policy = ArrayPolicy(bitmapDelay = 200.milliseconds)))

    /** What arrays are filled with: the first bytes of it. The guest reads the same file. */
    val pattern: ByteArray = Random(SEED).nextBytes(64 shl 20)

    init {
        check((home / "initrd.gz").exists()) { "the lab is not prepared: run samples/lab/prepare.sh" }
        (home / "pattern.bin").writeBytes(pattern)
        (home / "members").createDirectories()
    }

    /** Runs a script of `guest/` in the guest and returns what it printed; [settings] are lab.py's. */
    fun boot(script: String, settings: Map<String, Any> = emptyMap()): String {
        val directory = Path.of(checkNotNull(System.getProperty("arraywright.root"))) / "samples" / "lab"
        val environment = mapOf("LAB_HOME" to home, "LAB_TIMEOUT" to 840) + settings
        val outcome = Peer.run(
            Duration.ofMinutes(15),
            "env",
            *environment.map { (name, value) -> "$name=$value" }.toTypedArray(),
            "python3",
            "$directory/lab.py",
            "$directory/guest/$script",
        ).orFail()
        return outcome.stdout()
    }

    /**
     * Runs [program], an object of this package with a `main`, in the guest, on five blank drives of 40 MiB that are
     * nobody else's. Returns the lines that the guest and the lab printed.
     */
    fun run(
        program: String,
        heap: String,
        script: String = "kernel.sh",
        settings: Map<String, Any> = emptyMap(),
    ): List<String> {
        val drives = (home / "blank").createDirectories()
        for (number in 0..DRIVES) {
            RandomAccessFile((drives / "d$number.img").toFile(), "rw").use {
                it.setLength(0)
                it.setLength(40L shl 20)
            }
        }
        expect(listOf(System.getProperty("java.home"), System.getProperty("java.class.path"), program, "-Xmx$heap"))
        return boot(script, settings + ("LAB_DRIVES" to drives)).lines().map { it.substringAfter("] ") }
    }

    /** Copies an array's slices out of the drives; each call makes fresh copies. */
    fun takeOut(exhibit: Exhibit): List<Path> = (0 until exhibit.devices).map { number ->
        member(exhibit, number).also { file ->
            copy(drive(number), place(exhibit, number), file, 0)
        }
    }

    /** Empty members. */
    fun blank(exhibit: Exhibit): List<Path> = (0 until exhibit.devices).map { number ->
        member(exhibit, number).also { file ->
            RandomAccessFile(file.toFile(), "rw").use {
                it.setLength(0)
                it.setLength(SLICE)
            }
        }
    }

    /** Copies the members into the drives. */
    fun putIn(exhibit: Exhibit) {
        repeat(exhibit.devices) { number ->
            copy(member(exhibit, number), 0, drive(number), place(exhibit, number))
        }
    }

    /** What the guest is to find: a line an array. */
    fun expect(contents: Map<Exhibit, String>) {
        expect(contents.map { (array, hash) -> "${array.slice} ${array.level} ${array.members} $hash" })
    }

    /** The same, as the script wants it. */
    fun expect(lines: List<String>) {
        (home / "expected.txt").writeBytes(lines.joinToString("") { "$it\n" }.toByteArray())
    }

    /** Opens the members, does [work] on the devices and closes them. */
    suspend fun <T> withDevices(members: List<Path>, work: suspend (List<AsyncBlockDevice>) -> T): T {
        val devices = members.map { opener.open(StorageAddress.parse(it.toUri().toString().replace("///", "/"))) }
        try {
            return work(devices)
        } finally {
            devices.forEach { it.close() }
        }
    }

    /** The array of these members, stopped again after [work]. */
    suspend fun <T> assembled(members: List<Path>, force: Boolean = false, work: suspend (RaidArray) -> T): T =
        withDevices(members) { devices -> arrays.assemble(devices, force).stoppedAfter(work) }

    override fun close() {
        opener.close()
        timer.close()
        pool.close()
    }

    private fun member(exhibit: Exhibit, number: Int) = home / "members" / "array${exhibit.slice}-$number.img"

    private fun drive(number: Int) = home / "d${number % DRIVES}.img"

    private fun place(exhibit: Exhibit, number: Int) = (exhibit.slice + number / DRIVES) * SLICE

    private fun copy(from: Path, fromOffset: Long, to: Path, toOffset: Long) {
        FileChannel.open(from, READ).use { source ->
            FileChannel.open(to, READ, WRITE, CREATE).use { target ->
                check(target.transferFrom(source.position(fromOffset), toOffset, SLICE) == SLICE) {
                    "$from is too short"
                }
            }
        }
    }

    companion object {
        const val SLICE: Long = 16L shl 20
        private const val DRIVES = 4
        private const val SEED = 20260101
    }
}

internal suspend fun <T> RaidArray.stoppedAfter(work: suspend (RaidArray) -> T): T =
    try {
        work(this)
    } finally {
        stop()
    }

/** Until no repair is under way. */
internal suspend fun RaidArray.settled() {
    withTimeout(2.minutes) { state.first { it.phase is ArrayPhase.Healthy } }
}

internal suspend fun RaidArray.content(): ByteArray {
    val bytes = ByteArray(size.toInt())
    for (offset in bytes.indices step STEP) {
        read(ByteBuffer.wrap(bytes, offset, minOf(STEP, bytes.size - offset)), offset.toLong())
    }
    return bytes
}

internal suspend fun RaidArray.fill(pattern: ByteArray) {
    for (offset in 0 until size.toInt() step STEP) {
        write(ByteBuffer.wrap(pattern, offset, minOf(STEP, size.toInt() - offset)), offset.toLong())
    }
    flush()
}

internal fun ByteArray.sha256(length: Int = size): String =
    HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").apply { update(this@sha256, 0, length) }.digest())

private const val STEP = 1 shl 20
