package dev.arraywright.lab

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import kotlin.random.Random

/** Runs in the guest for [HotPlugSpec]: drives of an array are unplugged while it is written to, and while it is idle. */
internal object HotPlugProgram {
    private const val BLOCK = 64 shl 10

    /** To give back the memory of one block takes six milliseconds in software emulation. */
    private const val CACHE = 4L shl 20

    @JvmStatic
    fun main(arguments: Array<String>) = inGuest(KernelOptions(readCache = CACHE)) { told ->
        val array = told.kernel.createArray(
            ArraySpec("lab", RaidLevel.RAID5, (0..2).map { drive("LAB000$it") }, chunk = BLOCK, assumeClean = true),
        )
        println("AWAITED there=${told.kernel.protection.awaitSpare(drive("SPARE004"))}")
        val content = Content(array)
        val writer = launch { content.keepWriting() }
        unplugged(told, content, writer)
        returned(told, content)
        idle(told, content)
        println("MEMBERS ${array.status.value.members.map { it.address?.substringAfterLast('-') }}")
        println("CONTENT ${content.bytes.sha256()}")
    }

    private suspend fun unplugged(told: Told, content: Content, writer: Job) {
        println("PHASE unplugged under writes")
        println("@@DEL nv1")
        told.await(Topic.SPARE_EXHAUSTED)
        told.await(Topic.HARDWARE_REMOVED, "nvme")
        println("@@NEW")
        told.await(Topic.ARRAY_RECOVERED)
        content.enough = true
        writer.join()
        content.compare("after the failover")
    }

    private suspend fun returned(told: Told, content: Content) {
        println("PHASE plugged in again")
        println("@@ADD nv1")
        told.await(Topic.DEVICE_RETURNED, "LAB0001")
        content.compare("after the return")
    }

    /** The drive that came back is made a spare, as an operator would. */
    private suspend fun idle(told: Told, content: Content) {
        println("PHASE unplugged while idle")
        val before = told.last
        println("@@DEL nv2")
        told.await(Topic.SPARE_EXHAUSTED, after = before)
        told.kernel.arrays.value.getValue("lab").remove(drive("LAB0001"))
        told.kernel.protection.addSpare(drive("LAB0001"))
        told.await(Topic.ARRAY_RECOVERED, after = before)
        content.compare("after the second failover")
    }

    /** What an array has to hold. */
    private class Content(private val array: ArrayHandle) {
        private val random = Random(4)
        val bytes = ByteArray(array.size.toInt())
        private var written = 0

        @Volatile
        var enough = false

        /** Writes blocks anywhere until there are [enough], and reads each again. */
        suspend fun keepWriting() {
            while (!enough) {
                val at = random.nextInt(bytes.size / BLOCK) * BLOCK
                random.nextBytes(bytes, at, at + BLOCK)
                array.write(ByteBuffer.wrap(bytes, at, BLOCK), at.toLong())
                check(same(at, BLOCK)) { "at $at there is something else than was written" }
                written++
            }
        }

        suspend fun compare(whenever: String) {
            val step = 1 shl 20
            for (at in bytes.indices step step) {
                check(same(at, minOf(step, bytes.size - at))) { "$whenever there is something else at $at" }
            }
            println("EQUAL $whenever: ${bytes.size} bytes, $written writes")
        }

        private suspend fun same(at: Int, length: Int): Boolean {
            val found = ByteBuffer.allocate(length)
            array.read(found, at.toLong())
            return ByteBuffer.wrap(bytes, at, length) == found.clear()
        }
    }
}
