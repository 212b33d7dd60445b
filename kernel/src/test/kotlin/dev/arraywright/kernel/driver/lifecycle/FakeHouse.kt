package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.isolate.FailureText
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.HandOverPart
import dev.arraywright.kernel.driver.upgrade.NewOpening
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/** What each call of a driver does; the name of a step (`start`) or of a step of one instance (`start#2`) comes first. */
internal open class Script {
    private val acts = mutableMapOf<String, Act>()

    fun on(step: String, act: Act) = apply { acts[step] = act }

    open fun act(step: String, instance: Int): Act = acts["$step#$instance"] ?: acts[step] ?: Act.Fine
}

internal sealed interface Act {
    data object Fine : Act

    data object Hang : Act

    data class Throw(val why: String) : Act

    /** What is none of the driver's own, and no [KernelError] either. */
    data class Break(val with: Error) : Act
}

/** A driver that does as its script says, and holds the supervisor to the order of a driver's life. */
internal class FakeInstance(
    val number: Int,
    private val script: Script,
    val of: DriverInfo,
    private val log: (String) -> Unit,
) : DriverInstance {
    private val done = mutableListOf<String>()
    var settings: Map<String, String> = emptyMap()
    var reconfigures = true
    var status: DeviceHealth = DeviceHealth.GOOD
    var leaves: LeakOutcome = LeakOutcome.Collected
    var released = false
        private set

    override val notes: List<String> get() = listOf("instance $number")
    override val classes: Int = 1
    override val classBytes: Long = 1000

    override suspend fun initialize(context: DriverContext, deadline: Duration): CallOutcome<Unit> {
        check(done.isEmpty()) { "initialize after $done" }
        settings = context.settings()
        return step("initialize", deadline)
    }

    override suspend fun start(deadline: Duration): CallOutcome<Unit> {
        check(done == listOf("initialize")) { "start after $done" }
        return step("start", deadline)
    }

    override suspend fun health(deadline: Duration): CallOutcome<DeviceHealth> {
        check(done.last() == "start") { "health after $done" }
        return quiet("health", deadline) { status }
    }

    override suspend fun reconfigure(settings: Map<String, String>, deadline: Duration): CallOutcome<Boolean> {
        check(done.last() == "start") { "reconfigure after $done" }
        log("reconfigure#$number")
        return quiet("reconfigure", deadline) {
            if (reconfigures) this.settings = settings
            reconfigures
        }
    }

    override suspend fun stop(deadline: Duration): CallOutcome<Unit> {
        check(done.last() == "start") { "stop after $done" }
        return step("stop", deadline)
    }

    override suspend fun close(deadline: Duration): CallOutcome<Unit> {
        check("close" !in done) { "closed twice" }
        return step("close", deadline)
    }

    override suspend fun <T> apart(
        title: String,
        deadline: Duration,
        unused: (T) -> Unit,
        block: () -> T,
    ): CallOutcome<T> = error("no devices here")

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice = error("no devices here")

    override fun release() {
        check("close" in done && !released) { "released after $done" }
        released = true
        log("release#$number")
    }

    override suspend fun gone(): LeakOutcome {
        check(released)
        delay(1.milliseconds)
        return leaves
    }

    private suspend fun step(step: String, deadline: Duration): CallOutcome<Unit> {
        done += step
        log("$step#$number")
        return quiet(step, deadline) {}
    }

    private suspend fun <T> quiet(step: String, deadline: Duration, value: () -> T): CallOutcome<T> {
        check(!released) { "$step of a released driver" }
        return when (val act = script.act(step, number)) {
            Act.Fine -> CallOutcome.Returned(value())
            Act.Hang -> {
                delay(deadline)
                CallOutcome.Late("\tat org.example.Driver.$step")
            }
            is Act.Throw -> CallOutcome.Failed(FailureText("org.example.Oops", null, act.why, "", "\tat org.example"))
            is Act.Break -> throw act.with
        }
    }
}

/** Devices are only a number here. */
internal class FakePort : DriverPort {
    override var devices: Int = 0
    var serving: FakeInstance? = null
        private set
    var refusal: String? = null
        private set
    var refusesHandOver = false

    override fun serve(by: DriverInstance) {
        serving = by as FakeInstance
        refusal = null
    }

    override fun refuse(why: String) {
        serving = null
        refusal = why
    }

    override fun refuseUnlessUsed(why: String): Boolean = (devices == 0).also { if (it) refuse(why) }

    override fun part(to: DriverInstance, opening: NewOpening): HandOverPart = error("no devices here")

    override suspend fun end(by: DriverInstance, deadline: Duration) {
        devices = 0
    }
}

/** Makes instances, one after the other, and notes what the supervisor tells. */
internal class FakeHouse(
    private val scope: CoroutineScope,
    override val time: TimeSource.WithComparableMarks,
    val script: Script = Script(),
    override val deadlines: DriverDeadlines = DriverDeadlines(),
    override val policy: CrashPolicy = CrashPolicy(jitter = 0.0),
) : DriverHouse {
    override val random: Random = Random(1)
    val log = mutableListOf<String>()
    val instances = mutableListOf<FakeInstance>()
    val states = mutableListOf<String>()
    var watched = 0
    var onChange: () -> Unit = {}

    /** What is missing of what a driver requires. */
    var unmet: String? = null
    val port = FakePort()
    val candidate = candidate("1.0.0")
    val driver = DriverSupervisor(candidate, emptyMap(), port, this).apply { launchIn(scope) }

    fun candidate(version: String) = DriverCandidate(Path.of("/d/ram.jar"), info(version))

    private fun info(version: String) = info("ram", version)

    override suspend fun load(candidate: DriverCandidate, again: Boolean): DriverInstance {
        val number = instances.size + 1
        log += if (again) "again#$number" else "load#$number"
        when (val act = script.act("load", number)) {
            Act.Fine -> Unit
            Act.Hang -> error("loading has its deadline elsewhere")
            is Act.Throw -> throw KernelError.DriverUnusable("cannot load", act.why)
            is Act.Break -> throw act.with
        }
        return FakeInstance(number, script, candidate.info, log::add).also(instances::add)
    }

    override fun context(driver: String, settings: Map<String, String>): DriverContext = object : DriverContext {
        override fun settings(): Map<String, String> = settings

        override fun buffers(): BufferAllocator = error("no buffers here")

        override fun logger(): System.Logger = error("no logger here")
    }

    override suspend fun handOver(turns: List<Turn>, onSwitch: () -> Unit): List<UpgradeReport> {
        val ports = turns.map { it.port as FakePort }
        val refused = KernelError.DriverUnusable("cannot hand over", "the new one opens nothing")
        if (ports.any { it.refusesHandOver }) throw refused
        turns.forEach { it.port.serve(it.to) }
        onSwitch()
        ports.forEach { log += "handOver#${it.serving!!.number}" }
        return ports.map { UpgradeReport(it.devices, Duration.ZERO, Duration.ZERO) }
    }

    override fun unmet(info: DriverInfo): String? = unmet

    override fun failing(driver: DriverSupervisor): Unit = Unit

    override fun waiting(driver: DriverSupervisor, why: String) {
        log += "waiting: $why"
    }

    override fun changed() {
        val now = driver.state.value.name
        if (states.lastOrNull() != now) states += now
        onChange()
    }

    override fun running(driver: DriverSupervisor) {
        log += "running"
    }

    override fun crashed(driver: DriverSupervisor, why: String, restartIn: Duration) {
        log += "crashed: $why; $restartIn"
    }

    override fun quarantined(driver: DriverSupervisor, why: String, failures: Int) {
        log += "quarantined: $why; $failures"
    }

    override fun watch(info: DriverInfo, released: DriverInstance) {
        check((released as FakeInstance).released)
        watched++
    }

    override suspend fun proof(info: DriverInfo, released: DriverInstance): String? =
        (released.gone() as? LeakOutcome.Leaked)?.report?.toString()
}

/** What a driver announces. */
internal fun info(name: String, version: String = "1.0.0", vararg requires: String) = DriverInfo(
    name,
    "for specs",
    DriverVersion.parse(version),
    listOf(name),
    DriverVersion.PLATFORM,
    autoLoad = true,
    "org.example.X",
    requires.map(DriverRequirement::parse),
)

/** A jar that has it. */
internal fun offer(info: DriverInfo) = DriverCandidate(Path.of("/d/${info.name}-${info.version}.jar"), info)
