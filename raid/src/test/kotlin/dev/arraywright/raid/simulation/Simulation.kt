package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.nanoseconds

/**
 * One seed's story: an array of random shape, clients, disks that fail within tolerance, rounds that end in a clean
 * stop or a power cut, and at the end a look at every byte and all redundancy. See [SimulationSpec] for what is
 * checked, and [HotSpareSimulationSpec] for what is where a manager looks after the array.
 */
internal class Simulation(
    private val seed: Long,
    private val buffers: BufferAllocator,
    private val tell: (String) -> Unit = {},
    val tally: Tally = Tally(),
    caretaker: (Simulation) -> Caretaker = ::Steering,
    supervised: Boolean = false,
    cached: Boolean = false,
) : SimulatedDisk.World {
    val random = Random(seed)
    private val latency = Random(seed xor 0x5eed)
    val dispatcher = SeededDispatcher(Random(seed + 1))
    val shape = Shape(random, supervised)
    val disks = ArrayList<SimulatedDisk>()
    val faults = Faults(this)
    val small: SmallCache? = if (cached) SmallCache(seed, buffers) else null
    private val clients = Clients(this)
    private val caretaker = caretaker(this)
    private var wrong: Throwable? = null
    private lateinit var power: Job
    private lateinit var life: Job
    lateinit var array: RaidArray
        private set
    lateinit var model: ByteModel
        private set
    lateinit var holes: Holes
        private set

    /** Changes with everything that happens: equal for two runs if they are the same. */
    var trace: Long = 17
        private set

    /** True until the power fails. */
    val powered: Boolean get() = power.isActive

    /** A job that ends with the power at the latest, on the story's dispatcher; what nobody catches fails the story. */
    fun ground(): CoroutineContext =
        dispatcher + SupervisorJob(power) + CoroutineExceptionHandler { _, e -> if (powered) found(e) }

    /** The story is to fail, but who found out is not to be disturbed. */
    fun found(failure: Throwable) {
        if (wrong == null) wrong = failure
    }

    fun disk(id: String): SimulatedDisk = disks.first { it.id == id }

    override fun later(extra: Long, action: () -> Unit) {
        trace = trace * 31 + dispatcher.now + extra
        val slow = if (latency.nextInt(50) == 0) 3_000_000L else 0L
        dispatcher.after(latency.nextLong(1_000, 200_000) + slow + extra) { action() }
    }

    /** Runs the story; throws what goes wrong. */
    fun run() {
        repeat(shape.members + if (shape.level.redundant()) random.nextInt(2) else 0) { newDisk() }
        powered { create() }
        repeat(1 + random.nextInt(3)) {
            round(crash = random.nextInt(3) > 0)
            powered { assemble() }
        }
        finish()
        tally.time += dispatcher.now.nanoseconds
        tally.cacheHits += small?.cache?.stats?.hits ?: 0
    }

    /** A disk large enough to be a member, or too small by [short] bytes. */
    fun newDisk(short: Long = 0): SimulatedDisk =
        SimulatedDisk(
            "disk${disks.size}",
            DATA + shape.dataSize - short + (if (disks.size < shape.members) disks.size % 3 else 3) * 4096L,
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
        dispatcher.runUntil(3.hours) { result != null || wrong != null }
        wrong?.let { throw it }
        result!!.getOrThrow()
    }

    private fun arrays(): Arrays {
        val ground = ground()
        life = ground[Job]!!
        return Arrays(
            ArrayRuntime(
                ground,
                dispatcher.clock,
                Random(random.nextLong()),
                policy = shape.policy,
                buffers = buffers,
                time = dispatcher.time,
                cache = small?.cache,
            ),
        )
    }

    /** Who fails takes with it what only it had, at the latest now. */
    private fun watch() {
        array.observe(object : ArrayObserver {
            override fun changed(before: ArrayState, after: ArrayState) {
                for ((was, now) in before.slots.zip(after.slots)) {
                    val left = was.deviceId != now.deviceId || !now.member.takesWrites
                    if (was.member == MemberState.InSync && left && before.resync != null)
                        holes.lose(
                            was.slot,
                            before,
                            model,
                        )
                }
            }
        })
    }

    private suspend fun create() {
        val spec = CreateSpec("sim", shape.level, shape.chunk, assumeClean = shape.zeroed, bitmapChunk = shape.bitmap)
        val (members, spares) = disks.map { it.open() }.withIndex().partition { it.index < shape.members }
        array = arrays().create(spec, members.map { it.value }, spares.map { it.value })
        model = ByteModel(array.size.toInt(), shape.zeroed)
        holes = Holes(array.geometry, shape.block)
        watch()
    }

    private fun round(crash: Boolean) {
        val scope = CoroutineScope(ground())
        val busy = scope.launch {
            launch { caretaker.takeOver() }
            clients.run { if (shape.level.redundant()) repeat(random.nextInt(shape.mishaps)) { mishap() } }
            if (crash) caretaker.quiet()
        }
        if (crash) {
            untilCrash()
            powerCut()
        } else {
            dispatcher.runUntil(3.hours) { busy.isCompleted || wrong != null }
            wrong?.let { throw it }
            await {
                caretaker.quiet()
                stop()
            }
            faults.end()
        }
        wrong?.let { throw it }
    }

    private fun untilCrash() {
        var over = false
        val unit = if (shape.supervised && random.nextInt(4) > 0) 4_000_000_000 else 60_000_000
        dispatcher.after(random.nextLong(unit) * (1 + random.nextInt(8))) { over = true }
        val trigger = moment(random) { array.state.value }
        var armed = true
        dispatcher.runUntil(3.hours) {
            if (armed && trigger()) {
                armed = false
                dispatcher.after(random.nextLong(if (random.nextBoolean()) 400_000 else 4_000_000)) { over = true }
            }
            over || wrong != null
        }
    }

    private fun nothingCached() {
        small?.cache?.stats?.let { check(it.bytes == 0L) { "the array has ended, and is cached: $it" } }
    }

    private suspend fun stop() {
        caretaker.leave()
        array.stop()
        check(life.children.none()) { "the stopped array leaves ${life.children.toList()}" }
        nothingCached()
        note { "stopped: ${array.state.value}" }
    }

    private fun powerCut() {
        val state = array.state.value
        note { "power cut in $state" }
        tally.powerCuts++
        caretaker.dark()
        power.cancel()
        for (disk in disks) disk.powerCut(random)
        // Whoever waited for a disk waits no more: let all that ends with the power end.
        dispatcher.runUntil(1.hours) { power.isCompleted }
        nothingCached()
        holes.powerCut(state, model.powerCut())
        faults.end()
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
        watch()
        val now = array.state.value
        note { "assembled without $absent: ${array.report}, $now" }
        for (slot in now.slots) if (slot.member != MemberState.InSync) holes.lose(slot.slot, now, model)
    }

    internal inline fun note(text: () -> String) {
        tell("${dispatcher.now / 1000} us: ${text()}")
    }

    /** Does what may be refused. */
    suspend inline fun attempt(what: String, action: () -> Unit) {
        try {
            action()
            note { what }
        } catch (refused: ArrayException) {
            note { "no $what: ${refused.why}" }
        }
    }

    private suspend fun mishap() {
        delay(random.nextLong(if (random.nextBoolean()) 10 else maxOf(300, shape.lull * random.nextInt(2))))
        caretaker.mishap()
    }

    private fun finish() {
        await {
            for (disk in disks) disk.cure()
            caretaker.takeOver()
            caretaker.quiet()
            array.state.first { state ->
                state.resync == null && state.slots.none { it.member is MemberState.Rebuilding }
            }
            repeat(2) { clients.look() }
            stop()
        }
        Scrub(array.geometry, array.state.value, disks).check()
        // Nothing is left but calls that disks are late with.
        dispatcher.drain()
        wrong?.let { throw it }
        for (byte in listOf(array.state.value.events, dispatcher.now)) trace = trace * 31 + byte
    }

    override fun toString(): String = "seed $seed: $shape, ${if (small != null) "cached" else "not cached"}"

    companion object {
        /** Where members of this size have their data. */
        const val DATA = 1L shl 20
    }
}
