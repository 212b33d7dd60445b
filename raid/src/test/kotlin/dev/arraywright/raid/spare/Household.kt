package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.array.ArrayRuntime
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.simulation.SeededDispatcher
import dev.arraywright.raid.simulation.SimulatedDisk
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import java.util.UUID
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Arrays of simulated disks, a manager that looks after them, and all that it told. */
internal class Household(seed: Long) : Surroundings, ScrubMarks, SimulatedDisk.World {
    val random = Random(seed)
    val dispatcher = SeededDispatcher(Random(seed + 1))
    private val arrays = Arrays(ArrayRuntime(dispatcher, dispatcher.clock, random, time = dispatcher.time))
    val events = ArrayList<GroupEvent>()
    val disks = HashMap<String, SimulatedDisk>()
    val sick = HashMap<String, String>()
    val closed = ArrayList<String>()
    val saved = HashMap<UUID, ScrubMark>()

    /** As large as makes a rebuild of 256 KiB take 8 s. */
    val slow = HotSparePolicy(rebuildFloor = 32 * 1024, rebuildCeiling = 32 * 1024)
    val manager = HotSpareManager(dispatcher, dispatcher.clock, dispatcher.time, this) { events += it }

    override val marks: ScrubMarks get() = this

    fun disk(id: String, size: Long = 1280L shl 10): SimulatedDisk =
        SimulatedDisk(id, size, 512, this).also { disks[id] = it }

    suspend fun array(name: String, level: RaidLevel, count: Int, spares: Int = 0, bitmap: Int? = null): RaidArray {
        val members = List(count) { disk("$name-$it").open() }
        val own = List(spares) { disk("$name-spare$it").open() }
        val array = arrays.create(
            CreateSpec(name, level, 4096, assumeClean = true, bitmapChunk = bitmap),
            members,
            own,
        )
        manager.register(DeviceGroup(name, array))
        return array
    }

    suspend fun spare(id: String, size: Long = 1280L shl 10) {
        manager.registerSpare(SpareDevice(disk(id, size).open()))
    }

    /** Unplugs a member, and has the array notice. */
    suspend fun unplug(array: RaidArray, id: String) {
        disks.getValue(id).gone = true
        touch(array)
    }

    /** Writes to every member. */
    suspend fun touch(array: RaidArray) {
        array.write(ByteBuffer.wrap(ByteArray(array.geometry.stripeBytes() * 4)), 0)
    }

    override fun later(extra: Long, action: () -> Unit) {
        dispatcher.after(random.nextLong(1, 100_000) + extra) { action() }
    }

    suspend fun healthy(array: RaidArray) = array.state.first { it.phase == ArrayPhase.Healthy }

    suspend inline fun <reified T : GroupEvent> event(
        limit: Duration = 10.minutes,
        crossinline such: (T) -> Boolean = { true },
    ): T {
        val end = dispatcher.time.markNow() + limit
        while (end.hasNotPassedNow()) {
            events.filterIsInstance<T>().firstOrNull { such(it) }?.let { return it }
            delay(10.milliseconds)
        }
        error("no ${T::class.simpleName} within $limit, but\n" + events.joinToString("\n"))
    }

    fun ended(group: String): List<RebuildPhase> = events.filterIsInstance<GroupEvent.Rebuild>()
        .filter { it.group == group && it.status.phase.terminal }.map { it.status.phase }

    override suspend fun reopen(group: String, deviceId: String): AsyncBlockDevice? =
        disks.getValue(deviceId).let { if (it.gone) null else it.reopen() }

    override suspend fun close(device: AsyncBlockDevice) {
        closed += device.info().id()
    }

    override fun health(deviceId: String): String? = sick[deviceId]

    override suspend fun load(array: UUID): ScrubMark? = saved[array]

    override suspend fun save(array: UUID, mark: ScrubMark) {
        saved[array] = mark
    }

    companion object {
        /** Runs a story to its end, in virtual time. */
        fun tell(seed: Long = 1, limit: Duration = 3.hours, story: suspend Household.() -> Unit) {
            val household = Household(seed)
            var result: Result<Unit>? = null
            CoroutineScope(household.dispatcher + SupervisorJob()).launch {
                result = runCatching {
                    household.story()
                    household.manager.close()
                }
            }
            household.dispatcher.runUntil(limit) { result != null }
            result?.getOrThrow()
        }
    }
}
