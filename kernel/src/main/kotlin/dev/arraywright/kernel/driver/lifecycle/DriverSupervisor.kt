package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.spi.device.DeviceHealth
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration

/**
 * One driver's life, and who decides on it: all steps are taken by one coroutine, one after the other, each within its
 * deadline; a driver that hangs holds up nothing but itself. Functions wait for their turn.
 *
 * While it fails, its open devices are left to themselves: they go on as they can until the next instance takes them
 * over, or somebody unloads the driver.
 */
internal class DriverSupervisor(
    first: DriverCandidate,
    settings: Map<String, String>,
    private val port: DriverPort,
    private val house: DriverHouse,
) {
    private val mailbox = Mailbox()
    private val shown = MutableStateFlow<DriverState>(DriverState.Discovered)
    private val crashes = ArrayDeque<ComparableTimeMark>()
    private var instance: DriverInstance? = null
    private var started = false
    private var retryAt: ComparableTimeMark? = null
    private var checkAt: ComparableTimeMark? = null
    private var leaving: DriverInstance? = null
    private var left = false

    val state: StateFlow<DriverState> = shown.asStateFlow()

    @Volatile var candidate: DriverCandidate = first
        private set

    @Volatile var settings: Map<String, String> = settings
        private set

    /** How long the latest way from the jar to running was; null before. */
    @Volatile var loadTime: Duration? = null
        private set

    @Volatile var health: DeviceHealth = DeviceHealth.UNKNOWN
        private set

    @Volatile var notes: List<String> = first.notes
        private set

    /** Classes loaded and the bytes of their files. */
    @Volatile var memory: Pair<Int, Long> = 0 to 0L
        private set

    val info: DriverInfo get() = candidate.info
    private val name: String get() = info.name

    fun launchIn(scope: CoroutineScope) {
        scope.launch {
            try {
                while (!left) if (!mailbox.next(patience())) tick()
            } finally {
                mailbox.close()
            }
            leaving?.let { prove(it) }
        }
    }

    /** From its jar to running; after a failure anew, which lifts a quarantine. */
    suspend fun load(from: DriverCandidate, with: Map<String, String>): Unit = mailbox.ask {
        if (state.value != DriverState.Discovered && state.value !is DriverState.Failed) {
            throw KernelError.InUse("cannot load the driver $name", "it is loaded already", "upgrade it instead")
        }
        crashes.clear()
        retryAt = null
        candidate = from
        settings = with
        try {
            bringUp(again = false)
        } catch (e: KernelError) {
            fail(e.why)
            throw e
        }
    }

    /** Replaces what runs by [by], under its open devices; if that fails, what runs goes on. */
    suspend fun replace(by: DriverCandidate, with: Map<String, String>): UpgradeReport = mailbox.ask {
        if (state.value != DriverState.Running) {
            throw KernelError.DriverUnusable("cannot upgrade the driver $name", "it does not run", "load it first")
        }
        swap(by, with)
    }

    /** Gives it other settings, by a restart if it wants one; if that fails, it goes on with those it has. */
    suspend fun configure(with: Map<String, String>): Unit = mailbox.ask {
        val now = instance
        if (with == settings) return@ask
        if (now == null || state.value != DriverState.Running) {
            settings = with
            return@ask
        }
        when (val outcome = now.reconfigure(with, house.deadlines.reconfigure)) {
            is CallOutcome.Returned -> if (outcome.value) settings = with else swap(candidate, with)
            else -> throw refusal("cannot change the settings of the driver $name", "reconfigure", outcome)
        }
        house.changed()
    }

    /**
     * Stops it within its grace, closes it and lets go of it, whatever it does; whether it is gone, [state] tells later.
     * Devices that are open still are closed. Returns what did not go as it should.
     *
     * @param proven whether to wait for its classes to go, in the background
     */
    suspend fun unload(proven: Boolean = true): List<String> = mailbox.ask {
        port.refuse("it is unloaded")
        retryAt = null
        checkAt = null
        val last = instance
        val troubles = last?.let { tearDown(it, ::move) }.orEmpty()
        if (last == null) move(DriverEvent.Unload)
        instance = null
        left = true
        if (last != null && proven) {
            leaving = last
        } else if (state.value == DriverState.Unloading) {
            move(DriverEvent.Done)
        }
        troubles
    }

    private fun patience(): Duration {
        val now = house.time.markNow()
        return listOfNotNull(retryAt, checkAt).minOfOrNull { it - now }?.coerceAtLeast(Duration.ZERO)
            ?: Duration.INFINITE
    }

    private suspend fun tick() {
        val now = house.time.markNow()
        if (retryAt?.let { it <= now } == true) {
            retryAt = null
            try {
                bringUp(again = true)
            } catch (e: KernelError) {
                crashed(e.why)
            }
        } else if (checkAt?.let { it <= now } == true) {
            check()
        }
    }

    private suspend fun check() {
        val now = instance ?: return
        val why = when (val outcome = now.health(house.deadlines.health)) {
            is CallOutcome.Returned -> {
                health = outcome.value
                val failed = outcome.value.status() == DeviceHealth.Status.FAILED
                if (failed) "it says that it has failed: ${outcome.value.detail()}" else null
            }
            else -> words("health", outcome)
        }
        checkAt = house.time.markNow() + house.deadlines.healthInterval
        measure(now)
        if (why != null) crashed(why) else house.changed()
    }

    /** Restarted after a pause, if it did not fail too often by now. */
    private suspend fun crashed(why: String) {
        port.refuse("it failed: $why")
        checkAt = null
        val now = house.time.markNow()
        crashes.addLast(now)
        while (now - crashes.first() > house.policy.window) crashes.removeFirst()
        val pause = house.policy.pause(crashes.size, house.random)
        move(DriverEvent.Fail(why, quarantined = pause == null))
        // Nothing of it is of use without devices; with some, they would be gone with it.
        if (port.devices == 0) instance?.let { discard(it) }
        if (pause == null) {
            house.quarantined(this, why, crashes.size)
        } else {
            retryAt = now + pause
            house.crashed(this, why, pause)
        }
    }

    private fun fail(why: String) {
        port.refuse("it failed: $why")
        checkAt = null
        move(DriverEvent.Fail(why))
    }

    /** The way up; devices of an instance that failed are taken over. */
    private suspend fun bringUp(again: Boolean) {
        val began = house.time.markNow()
        val fresh = prepare(candidate, settings, again, ::move)
        val old = instance
        try {
            if (old == null) port.serve(fresh) else port.handOver(fresh)
        } catch (e: KernelError) {
            discard(fresh, stop = true)
            throw e
        }
        running(fresh, began)
        move(DriverEvent.Done)
        house.running(this)
        old?.let { discard(it, stop = true) }
    }

    /** Another instance beside the one that runs, and then in its place. */
    private suspend fun swap(by: DriverCandidate, with: Map<String, String>): UpgradeReport {
        val began = house.time.markNow()
        val fresh = prepare(by, with, again = by === candidate) {}
        val old = instance
        val report = try {
            port.handOver(fresh)
        } catch (e: KernelError) {
            discard(fresh, stop = true)
            throw e
        }
        val replaced = candidate
        candidate = by
        settings = with
        running(fresh, began)
        val troubles = old?.let { discard(it, stop = true, replaced) }.orEmpty()
        house.changed()
        return report.copy(notes = report.notes + troubles)
    }

    private fun running(fresh: DriverInstance, began: ComparableTimeMark) {
        instance = fresh
        started = true
        loadTime = began.elapsedNow()
        health = DeviceHealth.UNKNOWN
        notes = candidate.notes + fresh.notes
        checkAt = house.time.markNow() + house.deadlines.healthInterval
        measure(fresh)
    }

    private fun measure(now: DriverInstance) {
        memory = now.classes to now.classBytes
    }

    /** Loaded, initialised and started, or nothing of it is left. */
    private suspend fun prepare(
        from: DriverCandidate,
        with: Map<String, String>,
        again: Boolean,
        show: (DriverEvent) -> Unit,
    ): DriverInstance {
        show(DriverEvent.Load)
        val fresh = house.load(from, again)
        var ready = false
        try {
            show(DriverEvent.Done)
            show(DriverEvent.Initialize)
            step("initialize", fresh.initialize(house.context(name, with), house.deadlines.initialize))
            show(DriverEvent.Done)
            show(DriverEvent.Start)
            step("start", fresh.start(house.deadlines.start))
            ready = true
            return fresh
        } finally {
            if (!ready) discard(fresh, of = from)
        }
    }

    /** Ends an instance that does not serve, in the background as far as it is about its classes. */
    private suspend fun discard(
        old: DriverInstance,
        stop: Boolean = started && old === instance,
        of: DriverCandidate = candidate,
    ): List<String> = withContext(NonCancellable) {
        val troubles = mutableListOf<String>()
        if (stop) trouble("stop", old.stop(house.deadlines.stop))?.let(troubles::add)
        trouble("close", old.close(house.deadlines.close))?.let(troubles::add)
        old.release()
        left(old)?.let(troubles::add)
        if (old === instance) instance = null
        house.watch(of.info, old)
        troubles
    }

    /** Ends the instance that serves, step by step. */
    private suspend fun tearDown(last: DriverInstance, show: (DriverEvent) -> Unit): List<String> {
        val troubles = mutableListOf<String>()
        port.end(last, house.deadlines.closeDevice)
        if (state.value == DriverState.Running) show(DriverEvent.Stop)
        val stopped = trouble("stop", last.stop(house.deadlines.stop))
        if (state.value == DriverState.Stopping) {
            show(if (stopped == null) DriverEvent.Done else DriverEvent.Fail(stopped))
        }
        stopped?.let(troubles::add)
        show(DriverEvent.Unload)
        trouble("close", last.close(house.deadlines.close))?.let(troubles::add)
        last.release()
        left(last)?.let(troubles::add)
        return troubles
    }

    private suspend fun prove(last: DriverInstance) {
        val report = house.proof(info, last)
        move(if (report == null) DriverEvent.Done else DriverEvent.Leak(report))
    }

    private fun left(released: DriverInstance): String? = released.leftBehind?.let { "it did not give back $it" }

    private fun trouble(step: String, outcome: CallOutcome<Unit>): String? =
        if (outcome is CallOutcome.Returned) null else words(step, outcome)

    private fun step(step: String, outcome: CallOutcome<Unit>) {
        if (outcome !is CallOutcome.Returned) throw refusal("cannot load the driver $name", step, outcome)
    }

    private fun refusal(what: String, step: String, outcome: CallOutcome<*>): KernelError {
        val failure = (outcome as? CallOutcome.Failed)?.failure
        val details = failure?.stack ?: (outcome as? CallOutcome.Late)?.stack
        val remedy = failure?.remedy.orEmpty().ifEmpty { "see the details, and ask the driver's author" }
        return KernelError.DriverUnusable(what, words(step, outcome), remedy, details.orEmpty())
    }

    private fun words(step: String, outcome: CallOutcome<*>): String = when (outcome) {
        is CallOutcome.Failed -> "its $step() failed: ${outcome.failure.message}"
        is CallOutcome.Late -> "its $step() hangs"
        is CallOutcome.Returned -> "its $step() returned"
    }

    private fun move(event: DriverEvent) {
        val now = state.value
        shown.value = checkNotNull(now.next(event)) { "the driver $name is ${now.name}: no $event" }
        house.changed()
    }
}
