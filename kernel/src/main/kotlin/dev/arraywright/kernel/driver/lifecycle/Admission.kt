package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.serve.DeviceUsers
import dev.arraywright.kernel.driver.serve.DriverMeter
import dev.arraywright.kernel.driver.serve.ServedDriver

/** Decides which driver may be loaded, replaced or let go of, and keeps the books of it; for one caller at a time. */
internal class Admission(
    private val roster: DriverRoster,
    private val opener: DeviceOpener,
    private val users: DeviceUsers,
    private val house: DriverHouse,
    private var most: Int,
    private var configured: Map<String, DriverConfiguration> = emptyMap(),
) {
    /** What may be loaded, and the settings it is loaded with. */
    class Place(val entry: DriverEntry, val settings: Map<String, String>)

    /** A place for the driver, which [launch] brings to life if there was none; it is not loaded yet. */
    fun load(from: DriverCandidate, given: Map<String, String>, launch: (DriverSupervisor) -> Unit): Place {
        val info = from.info
        val what = "cannot load the driver $info"
        val old = roster[info.name]
        if (old != null && (old.leaving || !old.failed)) {
            val there = "${old.info.version} of ${old.supervisor.candidate.jar}"
            val why = if (old.leaving) "$there is being unloaded" else "$there is loaded"
            throw KernelError.InUse(what, why, if (old.leaving) "try again" else "upgrade it, or unload it first")
        }
        val loaded = roster.all.count { !it.failed }
        if (loaded >= most) {
            val remedy = "unload one, or raise maxLoadedDrivers"
            throw KernelError.InUse(what, "$loaded drivers are loaded, and $most may be at once", remedy)
        }
        Dependencies.require(info, roster.running())
        // What it requires may be about to be another version.
        Dependencies.require(info, roster.running() + roster.upcoming())
        val settings = DriverSettings.of(info, configuredFor(info) + given)
        val entry = old ?: entry(from, settings)
        entry.given = given
        offer(entry, info, what)
        if (old == null) {
            roster.add(entry)
            launch(entry.supervisor)
        }
        return Place(entry, settings).also { entry.place = it }
    }

    /** It could not be loaded: another driver may serve what it does not, unless somebody else has a go at it. */
    fun failed(place: Place) {
        if (place.entry.place === place && !place.entry.running) withdraw(place.entry)
    }

    /** Nothing is opened by the driver any more, and nothing comes to need it. */
    fun release(name: String, used: Boolean): DriverEntry {
        val entry = present(name, "unload")
        val what = "cannot unload the driver $name"
        if (entry.next != null) throw KernelError.InUse(what, "it is being upgraded", "try again")
        val there = roster.all.filter { !it.leaving && !it.failed }
        val needing = Dependencies.neededBy(
            name,
            there.flatMap {
                listOfNotNull(it.info, it.next)
            },
        ).distinctBy { it.name }
        if (needing.isNotEmpty()) {
            val who = needing.joinToString { it.name }
            throw KernelError.InUse(what, "it is required by $who", "unload $who first")
        }
        if (used) {
            entry.port.refuse("it is being unloaded")
        } else if (!entry.port.refuseUnlessUsed("it is being unloaded")) {
            val devices = entry.port.open.joinToString { users.shown(it.address) }.ifEmpty { "one is being opened" }
            val remedy = "remove them from their arrays first, or ask for them to be failed"
            throw KernelError.InUse(what, "its devices are in use: $devices", remedy)
        }
        entry.leaving = true
        return entry
    }

    /**
     * What changes for whom, but for those [except]; a setting that makes no sense is told when its turn comes. What is
     * another than [before] replaces what was given with a load; a driver whose jar is not configured any more keeps what
     * was configured beside it.
     */
    fun configure(
        drivers: Map<String, DriverConfiguration>,
        most: Int?,
        before: Map<String, DriverConfiguration>?,
        except: Set<String>,
    ): List<Pair<DriverEntry, () -> Map<String, String>>> {
        val there = roster.all.filter { !it.leaving }
        for (entry in there) entry.given = given(entry, before ?: configured, drivers)
        configured = drivers
        most?.let { this.most = it }
        return there.filter { it.info.name !in except }.map { entry -> entry to { settings(entry.info, entry) } }
    }

    /** The first, but for those [except], that [drivers] has settings for which make no sense; [before] counts yet. */
    fun refusal(
        drivers: Map<String, DriverConfiguration>,
        before: Map<String, DriverConfiguration>,
        except: Set<String>,
    ): KernelError? =
        roster.all.filter { !it.leaving && it.info.name !in except }.firstNotNullOfOrNull { entry ->
            val given = given(entry, before, drivers)
            try {
                DriverSettings.of(entry.info, drivers[entry.info.name]?.settings.orEmpty() + given)
                null
            } catch (e: KernelError.BadConfiguration) {
                e
            }
        }

    /** Offers it for the schemes that it has now. */
    fun offer(entry: DriverEntry): Unit = offer(entry, entry.info, "cannot offer the driver ${entry.info}")

    fun withdraw(entry: DriverEntry) {
        entry.registration?.close()
        entry.registration = null
        entry.offered = emptyList()
    }

    /** Each after those that it needs. */
    fun inOrder(entries: List<DriverEntry>): List<DriverEntry> {
        val byName = entries.associateBy { it.info.name }
        val infos = Dependencies.order(entries.map { it.info }, emptyMap()) { _, _ -> }
        val ordered = infos.map { byName.getValue(it.name) }
        // What lost what it needs, by a failure, comes last and so goes first.
        return ordered + (entries - ordered.toSet())
    }

    private fun entry(from: DriverCandidate, settings: Map<String, String>): DriverEntry {
        val meter = DriverMeter(house.time)
        val port = ServedDriver(from.info.name, meter, house::changed)
        return DriverEntry(DriverSupervisor(from, settings, port, house), port, meter)
    }

    private fun offer(entry: DriverEntry, info: DriverInfo, what: String) {
        // What stays the same is not withdrawn for a moment, in which somebody may open a device.
        if (entry.registration != null && entry.offered == info.schemes) return
        requireFree(info, entry, what)
        withdraw(entry)
        entry.registration = try {
            opener.register(info.schemes, entry.port).also { entry.offered = info.schemes }
        } catch (e: IllegalArgumentException) {
            throw KernelError.InUse(what, e.message.orEmpty(), "unload that one first")
        }
    }

    /** @throws KernelError.InUse if others serve, or are about to, what [info] would */
    fun requireFree(info: DriverInfo, entry: DriverEntry, what: String) {
        val upcoming = roster.all.filter { it !== entry }.flatMap { it.next?.schemes.orEmpty() }
        val taken = info.schemes.firstOrNull {
            (it in opener.schemes && it !in entry.offered) || it in upcoming
        } ?: return
        val owner = roster.all.firstOrNull {
            it !== entry && (taken in it.offered || taken in it.next?.schemes.orEmpty())
        }
        val who = owner?.let { "the driver ${it.info.name}" } ?: "a driver that comes with Arraywright"
        throw KernelError.InUse(what, "$taken: is served by $who", if (owner == null) "" else "unload that one first")
    }

    /** @throws KernelError.NotFound if it is not loaded */
    fun present(name: String, verb: String): DriverEntry {
        val entry = roster[name]
        if (entry != null && !entry.leaving) return entry
        val all = roster.all.filter { !it.leaving }.map { it.info.name }.sorted()
        val why = when {
            entry != null -> "it is being unloaded"
            all.isEmpty() -> "no driver is loaded"
            else -> "it is not loaded; loaded are ${all.joinToString()}"
        }
        throw KernelError.NotFound("cannot $verb the driver $name", why, "name one that is loaded")
    }

    /** @throws KernelError.BadConfiguration if what is configured or was given is none of its settings */
    fun settings(info: DriverInfo, entry: DriverEntry): Map<String, String> =
        DriverSettings.of(info, configuredFor(info) + entry.given)

    /** What counts as given to it once [after] has taken the place of [before]. */
    private fun given(
        entry: DriverEntry,
        before: Map<String, DriverConfiguration>,
        after: Map<String, DriverConfiguration>,
    ): Map<String, String> {
        val (old, new) = listOf(before, after).map { it[entry.info.name] ?: DriverConfiguration() }
        val letGo = old.jar != null && new.jar == null
        val kept = if (letGo) old.settings + entry.given else entry.given
        return kept.filterKeys { old.settings[it] == new.settings[it] || (letGo && it !in new.settings) }
    }

    private fun configuredFor(info: DriverInfo): Map<String, String> = configured[info.name]?.settings.orEmpty()
}
