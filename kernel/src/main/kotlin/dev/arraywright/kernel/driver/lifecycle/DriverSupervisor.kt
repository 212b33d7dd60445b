package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.spi.device.DeviceHealth
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration

/**
 * One driver's life, and who decides on it: all steps are taken by one coroutine, one after the other, each within its
 * deadline; a driver that hangs holds up nothing but itself. Functions wait for their turn.
 *
 * While it fails, its open devices are left to themselves: they go on as they can until the next instance takes them
 * over, or somebody unloads the driver. The same while it waits for a driver that it requires; see [DriverState].
 */
internal class DriverSupervisor(
    first: DriverCandidate,
    settings: Map<String, String>,
    private val port: DriverPort,
    private val house: DriverHouse,
) {
    private val mailbox = Mailbox()
    private val shown = MutableStateFlow<DriverState>(DriverState.Discovered)
    private val steps = LifeSteps(house)
    private val crashes = CrashCount(house)
    private var instance: DriverInstance? = null
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

    /** It failed for want of what it requires, and is restarted by [resume]. */
    @Volatile var waiting: Boolean = false
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
        waiting = false
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
    suspend fun replace(by: DriverCandidate, with: Map<String, String>): UpgradeReport =
        Replacement(house, listOf(Change(this, by, with))).run().single()

    /** Does [work] for a [Replacement] in its turn, while it runs. */
    suspend fun <T> hold(work: suspend () -> T): T = mailbox.ask {
        if (state.value != DriverState.Running) {
            throw KernelError.DriverUnusable("cannot upgrade the driver $name", "it does not run", "load it first")
        }
        work()
    }

    /** What hands over its devices, while it is held. */
    fun turn(to: DriverInstance, of: DriverInfo): Turn = Turn(port, to, info.opensBeside && of.opensBeside)

    /** What it was before it became another, and what is to be ended of that. */
    class Former(val instance: DriverInstance, val info: DriverInfo)

    /** It is [change] from now on, while it is held. */
    fun become(change: Change, fresh: DriverInstance, began: ComparableTimeMark): Former? {
        val former = instance?.let { Former(it, info) }
        candidate = change.to
        settings = change.settings
        running(fresh, began)
        return former
    }

    /**
     * What it requires does not run, or started anew: it does not run either until [resume]. As after a failure, open
     * devices are left alone, and without any nothing of it stays.
     */
    suspend fun rest(why: String): Unit = mailbox.ask {
        val now = state.value
        when {
            now == DriverState.Running -> wait(why)
            waiting && now is DriverState.Failed && now.why != why -> move(DriverEvent.Fail(why))
        }
    }

    /** What it waited for runs. */
    suspend fun resume(): Unit = mailbox.ask { if (waiting) restart() }

    /** Gives it other settings, by a restart if it wants one; if that fails, it goes on with those it has. */
    suspend fun configure(with: Map<String, String>): Unit = mailbox.ask {
        val now = instance
        if (with == settings) return@ask
        if (now == null || state.value != DriverState.Running) {
            settings = with
            return@ask
        }
        when (val outcome = now.reconfigure(with, house.deadlines.reconfigure)) {
            is CallOutcome.Returned -> {
                if (outcome.value) settings = with else restartedWith(with)
            }
            else -> throw steps.refusal("cannot change the settings of the driver $name", "reconfigure", outcome)
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
        waiting = false
        val last = instance
        val troubles = last?.let { tearDown(it) }.orEmpty()
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
            restart()
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
            else -> steps.words("health", outcome)
        }
        checkAt = house.time.markNow() + house.deadlines.healthInterval
        measure(now)
        if (why != null) crashed(why) else house.changed()
    }

    /** Another life of it, once what it requires runs. */
    private suspend fun restart() {
        val unmet = house.unmet(info)
        if (unmet != null) return wait(unmet)
        waiting = false
        try {
            bringUp(again = true)
        } catch (e: KernelError) {
            crashed(e.why)
        }
    }

    /** Restarted after a pause, if it did not fail too often by now. */
    private suspend fun crashed(why: String) {
        house.failing(this)
        val now = house.time.markNow()
        val pause = crashes.add(now)
        end(why, quarantined = pause == null)
        retryAt = pause?.let { now + it }
        if (pause == null) house.quarantined(this, why, crashes.size) else house.crashed(this, why, pause)
    }

    private suspend fun wait(why: String) {
        if (!waiting) house.waiting(this, why)
        waiting = true
        end(why)
    }

    private suspend fun end(why: String, quarantined: Boolean = false) {
        fail(why, quarantined)
        // Nothing of it is of use without devices; with some, they would be gone with it.
        if (port.devices == 0) instance?.let { discard(it) }
    }

    private fun fail(why: String, quarantined: Boolean = false) {
        port.refuse("it failed: $why")
        checkAt = null
        move(DriverEvent.Fail(why, quarantined))
    }

    /** The way up; devices of an instance that failed are taken over. */
    private suspend fun bringUp(again: Boolean) {
        val began = house.time.markNow()
        val fresh = steps.bringUp(candidate, settings, again, ::move)
        val old = instance
        var switched = false
        try {
            if (old == null) port.serve(fresh) else house.handOver(listOf(turn(fresh, info))) { switched = true }
            switched = true
        } finally {
            if (!switched) steps.discard(fresh, info)
        }
        running(fresh, began)
        move(DriverEvent.Done)
        house.running(this)
        old?.let { steps.discard(it, info) }
    }

    /** Beside the one that runs, and then in its place. */
    private suspend fun restartedWith(other: Map<String, String>) {
        Replacement(house, listOf(Change(this, candidate, other, again = true))).replace()
    }

    private fun running(fresh: DriverInstance, began: ComparableTimeMark) {
        instance = fresh
        loadTime = began.elapsedNow()
        health = DeviceHealth.UNKNOWN
        notes = candidate.notes + fresh.notes
        checkAt = house.time.markNow() + house.deadlines.healthInterval
        measure(fresh)
    }

    private fun measure(now: DriverInstance) {
        memory = now.classes to now.classBytes
    }

    private suspend fun discard(old: DriverInstance) {
        instance = null
        steps.discard(old, info)
    }

    /** Ends the instance that serves, step by step. */
    private suspend fun tearDown(last: DriverInstance): List<String> {
        port.end(last, house.deadlines.closeDevice)
        if (state.value == DriverState.Running) move(DriverEvent.Stop)
        val stopped = steps.stop(last)
        if (state.value == DriverState.Stopping) {
            move(if (stopped == null) DriverEvent.Done else DriverEvent.Fail(stopped))
        }
        move(DriverEvent.Unload)
        val closed = steps.close(last)
        return listOfNotNull(stopped, closed, steps.release(last))
    }

    private suspend fun prove(last: DriverInstance) {
        val report = house.proof(info, last)
        move(if (report == null) DriverEvent.Done else DriverEvent.Leak(report))
    }

    private fun move(event: DriverEvent) {
        val now = state.value
        shown.value = checkNotNull(now.next(event)) { "the driver $name is ${now.name}: no $event" }
        house.changed()
    }
}
