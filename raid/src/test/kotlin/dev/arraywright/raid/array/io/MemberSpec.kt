package dev.arraywright.raid.array.io

import dev.arraywright.raid.simulation.SeededDispatcher
import dev.arraywright.raid.simulation.SimulatedDisk
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

class MemberSpec : StringSpec({
    "a device that misses its deadline keeps the buffer until it ends the call, and nobody else gets it" {
        val dispatcher = SeededDispatcher(Random(1))
        val world = object : SimulatedDisk.World {
            override fun later(extra: Long, action: () -> Unit) {
                dispatcher.after(1000 + extra) { action() }
            }
        }
        val disk = SimulatedDisk("disk", 1L shl 20, 512, world)
        disk.hangReads = 1
        val pool = PooledBuffers(1L shl 20)
        val member = Member(disk.open(), 0, 1.seconds)
        var outcome: Result<Unit>? = null
        CoroutineScope(dispatcher).launch {
            outcome = runCatching { Buffers(pool).use(4096) { member.read(it, 0, 4096, 0) } }
        }
        dispatcher.runUntil(1.hours) { outcome != null }
        outcome!!.exceptionOrNull().shouldBeInstanceOf<DeviceIoException.TimedOutException>()
        member.misses shouldBe 1
        pool.inUse() shouldBe 4096
        dispatcher.drain()
        pool.inUse() shouldBe 0
    }
})
