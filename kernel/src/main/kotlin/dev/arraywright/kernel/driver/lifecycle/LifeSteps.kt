package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.scan.DriverCandidate
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** The steps of a driver's life, each within its deadline; whatever the driver does comes back in words. */
internal class LifeSteps(private val house: DriverHouse) {
    /**
     * An instance that is loaded, initialised and started; or nothing of it is left.
     *
     * @throws KernelError whatever went wrong, a lack of memory included
     */
    suspend fun bringUp(
        from: DriverCandidate,
        with: Map<String, String>,
        again: Boolean,
        show: (DriverEvent) -> Unit = {},
    ): DriverInstance = try {
        allTheWay(from, with, again, show)
    } catch (e: CancellationException) {
        throw e
    } catch (e: KernelError) {
        throw e
    } catch (e: Throwable) {
        val remedy = "see whether there is memory left, and the details"
        throw KernelError.DriverUnusable(
            "cannot load the driver ${from.info.name}",
            "$e",
            remedy,
            e.stackTraceToString(),
        )
    }

    private suspend fun allTheWay(
        from: DriverCandidate,
        with: Map<String, String>,
        again: Boolean,
        show: (DriverEvent) -> Unit,
    ): DriverInstance {
        val name = from.info.name
        show(DriverEvent.Load)
        val fresh = house.load(from, again)
        var ready = false
        try {
            show(DriverEvent.Done)
            show(DriverEvent.Initialize)
            require(name, "initialize", fresh.initialize(house.context(name, with), house.deadlines.initialize))
            show(DriverEvent.Done)
            show(DriverEvent.Start)
            require(name, "start", fresh.start(house.deadlines.start))
            ready = true
            return fresh
        } finally {
            if (!ready) discard(fresh, from.info, stop = false)
        }
    }

    /** Ends an instance that does not serve, in the background as far as it is about its classes. */
    suspend fun discard(old: DriverInstance, info: DriverInfo, stop: Boolean = true): List<String> =
        withContext(NonCancellable) {
            val troubles = mutableListOf<String>()
            if (stop) stop(old)?.let(troubles::add)
            close(old)?.let(troubles::add)
            release(old)?.let(troubles::add)
            house.watch(info, old)
            troubles
        }

    /** What is wrong, if anything. */
    suspend fun stop(old: DriverInstance): String? = trouble("stop", old.stop(house.deadlines.stop))

    suspend fun close(old: DriverInstance): String? = trouble("close", old.close(house.deadlines.close))

    /** Lets go of it; what it has not given back, if anything. */
    fun release(old: DriverInstance): String? {
        old.release()
        return old.leftBehind?.let { "it did not give back $it" }
    }

    fun refusal(what: String, step: String, outcome: CallOutcome<*>): KernelError {
        val failure = (outcome as? CallOutcome.Failed)?.failure
        val details = failure?.stack ?: (outcome as? CallOutcome.Late)?.stack
        val remedy = failure?.remedy.orEmpty().ifEmpty { "see the details, and ask the driver's author" }
        return KernelError.DriverUnusable(what, words(step, outcome), remedy, details.orEmpty())
    }

    fun words(step: String, outcome: CallOutcome<*>): String = when (outcome) {
        is CallOutcome.Failed -> "its $step() failed: ${outcome.failure.message}"
        is CallOutcome.Late -> "its $step() hangs"
        is CallOutcome.Returned -> "its $step() returned"
    }

    private fun trouble(step: String, outcome: CallOutcome<Unit>): String? =
        if (outcome is CallOutcome.Returned) null else words(step, outcome)

    private fun require(name: String, step: String, outcome: CallOutcome<Unit>) {
        if (outcome !is CallOutcome.Returned) throw refusal("cannot load the driver $name", step, outcome)
    }
}
