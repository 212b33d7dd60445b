package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/**
 * One seed's story: an array of random shape, writers, readers and flushers, disks that fail within tolerance, rounds
 * that end in a clean stop or a power cut, and at the end a look at every byte and all redundancy. See
 * [SimulationSpec] for what is checked.
 */
class Simulation(
    private val seed: Long,
    private val buffers: BufferAllocator,
    private val tell: (String) -> Unit = {},
) : SimulatedDisk.World {
    private val random = Random(seed)
    private val latency = Random(seed xor 0x5eed)
    private val dispatcher = SeededDispatcher(Random(seed + 1))
    private val shape = Shape(random)
    private val disks = ArrayList<SimulatedDisk>()
    private val failing = HashSet<String>()
    private var troubled = false
    private lateinit var power: Job
    private lateinit var array: RaidArray
    private lateinit var model: ByteModel
    private lateinit var holes: Holes
    private val steering = Steering(random, disks, failing, { array }) { tell("${dispatcher.now / 1000} us: $it") }

    /** Changes with everything that happens: equal for two runs if they are the same. */
    var trace: Long = 17
        private set

    override fun later(extra: Long, action: () -> Unit) {
        trace = trace * 31 + dispatcher.now + extra
        val slow = if (latency.nextInt(50) == 0) 3_000_000L else 0L
        dispatcher.after(latency.nextLong(1_000, 200_000) + slow + extra) { action() }
    }

    /** Runs the story; throws what goes wrong. */
    fun run() {
        repeat(shape.members + if (shape.level.redundant()) random.nextInt(2) else 0) { newDisk() }
        powered { create() }
        model = ByteModel(array.size.toInt(), shape.zeroed)
        holes = Holes(array.geometry, shape.block)
        val rounds = 1 + random.nextInt(3)
        repeat(rounds) {
            round(crash = random.nextInt(3) > 0)
            powered { assemble() }
        }
        finish()
    }

    private fun newDisk(): SimulatedDisk =
        SimulatedDisk(
            "disk${disks.size}",
            DATA + shape.dataSize + (if (disks.size < shape.members) disks.size % 3 else 3) * 4096L,
            shape.block,
            this,
        ).also {
            if (!shape.zeroed) it.fill(DATA, random)
            disks += it
        }

    /** Does something in an array's life, under power. */
    private fun powered(action: suspend () -> Unit) {
        power = SupervisorJob()
        await { action() }
    }

    private fun await(action: suspend () -> Unit) {
        var result: Result<Unit>? = null
        CoroutineScope(dispatcher + power).launch { result = runCatching { action() } }
        dispatcher.runUntil(1.hours) { result != null }
        result!!.getOrThrow()
    }

    private fun arrays() =
        Arrays(
            ArrayRuntime(
                dispatcher + power,
                dispatcher.clock,
                Random(random.nextLong()),
                policy = shape.policy,
                buffers = buffers,
                time = dispatcher.time,
            ),
        )

    private suspend fun create() {
        val spec = CreateSpec("sim", shape.level, shape.chunk, assumeClean = shape.zeroed, bitmapChunk = shape.bitmap)
        array = arrays().create(
            spec,
            disks.take(shape.members).map {
                it.open()
            },
            disks.drop(shape.members).map { it.open() },
        )
    }

    private fun round(crash: Boolean) {
        var failure: Throwable? = null
        val scope = CoroutineScope(dispatcher + power + CoroutineExceptionHandler { _, e -> failure = e })
        val clients = scope.launch { clients() }
        if (crash) {
            val time = random.nextLong(60_000_000) * (1 + random.nextInt(8))
            var over = false
            dispatcher.after(time) { over = true }
            val trigger = moment(random) { array.state.value }
            var armed = true
            dispatcher.runUntil(1.hours) {
                if (armed && trigger()) {
                    armed = false
                    dispatcher.after(random.nextLong(if (random.nextBoolean()) 400_000 else 4_000_000)) { over = true }
                }
                over
            }
            powerCut()
        } else {
            dispatcher.runUntil(1.hours) { clients.isCompleted }
            failure?.let { throw it }
            await { array.stop() }
            note { "stopped: ${array.state.value}" }
            failing.clear()
            for (disk in disks) disk.recover()
        }
        failure?.let { throw it }
    }

    private fun powerCut() {
        val state = array.state.value
        note { "power cut in $state" }
        power.cancel()
        for (disk in disks) disk.powerCut(random)
        // Whoever waited for a disk waits no more: let all that ends with the power end.
        dispatcher.runUntil(1.hours) { power.isCompleted }
        holes.powerCut(state, model.powerCut())
        failing.clear()
    }

    private suspend fun assemble() {
        val before = array.state.value
        val dispensable = before.slots.filter { slot ->
            slot.deviceId != null && before.geometry.survives {
                it != slot.slot && before.slots[it].member == MemberState.InSync
            }
        }
        val absent = if (random.nextInt(4) == 0) dispensable.randomOrNull(random)?.deviceId else null
        val candidates = disks.filter { it.id != absent }.shuffled(random)
        array = try {
            arrays().assemble(candidates.map { it.open() })
        } catch (refused: ArrayException.DirtyAndDegraded) {
            check(shape.level.parities() > 0) { "refused without a reason: $refused" }
            arrays().assemble(candidates.map { it.open() }, force = true)
        }
        val now = array.state.value
        note { "assembled without $absent: ${array.report}, $now" }
        for (slot in now.slots) if (slot.member != MemberState.InSync) holes.lose(slot.slot, now, model)
    }

    private suspend fun clients() = coroutineScope {
        val reach = random.nextInt(4)
        repeat(1 + random.nextInt(4)) { launch { repeat(4 + random.nextInt(16)) { write(reach) } } }
        repeat(random.nextInt(3)) { launch { repeat(10) { read(reach) } } }
        launch { repeat(random.nextInt(6)) { flush() } }
        if (shape.level.redundant()) launch { repeat(random.nextInt(4)) { mishap() } }
    }

    private inline fun note(text: () -> String) {
        tell("${dispatcher.now / 1000} us: ${text()}")
    }

    /** A range; with a small [reach] they meet often. */
    private fun range(reach: Int): Pair<Int, Int> {
        val size = array.size.toInt()
        val length = 1 + random.nextInt(
            when (random.nextInt(5)) {
                0 -> 512
                1 -> 4096
                2 -> minOf(size, 4 * array.geometry.stripeBytes())
                else -> 12_288
            }.coerceAtMost(size),
        )
        val within = if (reach == 0) minOf(size, length + 16_384) else size
        val from = random.nextInt(within - length + 1)
        val aligned = random.nextBoolean() && length > 512
        return if (aligned) from and -512 to maxOf(512, length and -512) else from to length
    }

    private suspend fun pause() {
        if (random.nextBoolean()) delay(random.nextLong(if (random.nextInt(10) == 0) 500 else 6))
    }

    private suspend fun write(reach: Int) {
        pause()
        if (!model.writable) return
        val (from, length) = range(reach)
        val write = model.beginWrite(from, from + length)
        val source = ByteBuffer.wrap(model.bytes(write))
        var done = false
        try {
            done = withTimeoutOrNull(if (random.nextInt(20) == 0) random.nextLong(1, 3) else 100_000) {
                array.write(source, from.toLong())
            } != null
        } catch (failure: DeviceIoException) {
            if (power.isActive) throw AssertionError("write $write failed in ${array.state.value}", failure)
        } finally {
            source.array().fill(0x55)
            if (power.isActive) model.endWrite(write, done)
            note { "wrote $write" }
        }
    }

    private suspend fun read(reach: Int) {
        pause()
        val (from, length) = range(reach)
        val read = model.beginRead(from, from + length)
        val target = ByteArray(length)
        var done = false
        try {
            array.read(ByteBuffer.wrap(target), from.toLong())
            done = true
        } catch (failure: DeviceIoException) {
            if (power.isActive)
                throw AssertionError(
                    "read of [$from,${from + length}) failed in ${array.state.value}",
                    failure,
                )
        } finally {
            if (power.isActive) model.endRead(read, target.takeIf { done })
        }
    }

    private suspend fun flush() {
        delay(random.nextLong(60))
        val covered = model.beginFlush()
        array.flush()
        if (power.isActive) model.endFlush(covered)
        note { "flushed ${covered.map { it.id }}" }
    }

    private suspend fun mishap() {
        delay(random.nextLong(if (random.nextBoolean()) 10 else 300))
        val state = array.state.value
        val victim = state.slots.filter { slot -> expendable(state, slot.slot) }.randomOrNull(random)
        val disk = disks.firstOrNull { it.id == victim?.deviceId }
        val kind = random.nextInt(10)
        note { "mishap $kind to ${disk?.id} in ${state.phase}" }
        when (kind) {
            0, 1 -> if (disk != null) lose(disk, victim!!.slot)
            2, 3 -> if (disk != null) trouble(disk, victim!!.slot, hang = kind == 3)
            4 -> if (disks.size < shape.members + 5) array.add(newDisk().open())
            5 -> state.slots.firstOrNull { it.member is MemberState.Faulty }?.deviceId?.let { array.remove(it) }
            6, 7 -> steering.returns()
            8 -> steering.replace(victim?.deviceId)
            else -> steering.rebuild()
        }
    }

    private fun spot() = random.nextLong(shape.dataSize / 4096) * 4096

    private fun expendable(state: ArrayState, slot: Int): Boolean =
        working(state, slot) && state.geometry.survives { it != slot && working(state, it) }

    private fun working(state: ArrayState, slot: Int): Boolean =
        state.slots[slot].run { member == MemberState.InSync && deviceId !in failing }

    /** Reads of the disk fail or hang: not while parity may be wrong, as what is read around it counts there. */
    private suspend fun trouble(disk: SimulatedDisk, slot: Int, hang: Boolean) {
        if (!alone(disk, slot) || failing.isNotEmpty()) return
        val state = array.state.value
        if (state.resync != null && (!hang || shape.level.parities() > 0)) return
        troubled = true
        if (hang) disk.hangReads = 1 + random.nextInt(2) else disk.spoil(DATA + spot(), 4096)
    }

    /** One failure at a time, and who met the last one may still be at work on it. True if the slot may go now. */
    private suspend fun alone(disk: SimulatedDisk, slot: Int): Boolean {
        if (troubled) {
            disks.forEach { it.cure() }
            troubled = false
            delay(10.seconds)
        }
        val state = array.state.value
        return expendable(state, slot) && state.slots[slot].deviceId == disk.id
    }

    private suspend fun lose(disk: SimulatedDisk, slot: Int) {
        if (!alone(disk, slot)) return
        val state = array.state.value
        failing += disk.id
        holes.lose(slot, state, model)
        when (random.nextInt(3)) {
            0 -> disk.gone = true
            1 -> disk.hangWrites = true
            else -> array.fail(disk.id)
        }
    }

    private fun finish() {
        await {
            for (disk in disks) disk.cure()
            array.state.first { state ->
                state.resync == null && state.slots.none { it.member is MemberState.Rebuilding }
            }
            val size = array.size.toInt()
            for (i in 0..1) {
                val read = model.beginRead(0, size)
                val all = ByteArray(size)
                array.read(ByteBuffer.wrap(all), 0)
                model.endRead(read, all)
            }
            array.stop()
        }
        Scrub(array.geometry, array.state.value, disks).check()
        power.cancel()
        dispatcher.drain()
        for (byte in listOf(array.state.value.events, dispatcher.now)) trace = trace * 31 + byte
    }

    override fun toString(): String = "seed $seed: $shape"

    private companion object {
        /** Where members of this size have their data. */
        const val DATA = 1L shl 20
    }
}
