package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.lifecycle.Dependencies
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.UpgradeGroup
import dev.arraywright.kernel.driver.scan.DriverCandidate
import java.nio.file.Path
import java.time.Instant

/** A driver that a jar of the folder has. */
internal data class Offer(val candidate: DriverCandidate, val fingerprint: JarFingerprint) {
    val name: String get() = candidate.info.name
    val jar: Path get() = candidate.jar
}

/** What a [FolderPlan] wants done. */
internal sealed interface FolderAction {
    val name: String

    data class Load(val candidate: DriverCandidate) : FolderAction {
        override val name: String get() = candidate.info.name
    }

    data class Upgrade(override val name: String, val candidate: DriverCandidate) : FolderAction

    data class Unload(override val name: String) : FolderAction
}

/** Whether [info]'s requirements run, as far as [all] tell. */
internal fun requirementsRun(info: DriverInfo, all: Map<String, DriverStatus>): Boolean = info.requires.all { need ->
    val version = all[need.name]?.takeIf { it.state == DriverState.Running }?.info?.version
    version != null && version in need.range
}

/**
 * Whether nothing stands in the way of [candidate], as far as [all] tell: what it requires runs; or else, where another
 * version of it runs, what [offers] would bring along with it.
 */
internal fun fits(candidate: DriverCandidate, offers: List<Offer>, all: Map<String, DriverStatus>): Boolean {
    val running = all.values.filter { it.state == DriverState.Running }.mapNotNull { it.info }.associateBy { it.name }
    if (candidate.info.name !in running) return requirementsRun(candidate.info, all)
    val group = UpgradeGroup.of(listOf(candidate), running, offers.map { it.candidate }).map { it.info }
    val after = running + group.associateBy { it.name }
    return after.values.all { info ->
        // What is amiss for another reason is not in the way.
        Dependencies.unmet(info, after) == null || (info !in group && Dependencies.unmet(info, running) != null)
    }
}

/**
 * Decides what the jars of [directory] ask for. Each jar as it is now has one try: what an operator unloads, upgrades or
 * loads from elsewhere stays as it is until the jar changes. Not thread-safe.
 */
internal class FolderPlan(private val directory: Path) {
    /** What was done about a driver of a jar, by its name and the jar. */
    private val tried = mutableMapOf<Pair<String, Path>, JarFingerprint>()
    private val waiting = mutableMapOf<String, Offer>()
    private val unloads = mutableMapOf<String, Int>()

    /**
     * @param offers what all sound jars have
     * @param there all files that are there, sound or not
     */
    fun next(offers: List<Offer>, there: Set<Path>, drivers: Map<String, DriverStatus>): List<FolderAction> {
        tried.keys.removeIf { it.second !in there }
        waiting.values.removeIf { offer ->
            val ready = offer !in offers || fits(offer.candidate, offers, drivers)
            if (ready) tried.replace(offer.name to offer.jar, offer.fingerprint, UNTRIED)
            ready
        }
        val loaded = drivers.filterValues { it.isLoaded }
        val sound = offers.map { it.jar }.toSet()
        val byName = offers.groupBy { it.name }
        unloads.keys.retainAll(loaded.keys)
        return (byName.keys + loaded.keys).mapNotNull { name ->
            val status = loaded[name]
            when {
                status == null -> load(byName.getValue(name))
                status.jar?.parent != directory -> null
                else -> follow(name, status, byName[name].orEmpty(), status.jar in there && status.jar !in sound)
            }
        }
    }

    /** It could not be loaded or upgraded, and may be once that [fits]. */
    fun wait(candidate: DriverCandidate, offers: List<Offer>) {
        offers.firstOrNull { it.candidate == candidate }?.let { waiting[it.name] = it }
    }

    /** It was not tried after all: the driver runs, and is to be upgraded instead. */
    fun retry(candidate: DriverCandidate, offers: List<Offer>) {
        offers.firstOrNull { it.candidate == candidate }?.let { tried[it.name to it.jar] = UNTRIED }
    }

    /** It is loaded for another reason than its jar. */
    fun taken(offer: Offer) {
        tried[offer.name to offer.jar] = offer.fingerprint
    }

    private fun load(offers: List<Offer>): FolderAction? {
        val best = offers.filter { it.candidate.info.autoLoad }.maxWithOrNull(PREFERENCE) ?: return null
        return if (take(best)) FolderAction.Load(best.candidate) else null
    }

    private fun follow(name: String, status: DriverStatus, offers: List<Offer>, unsound: Boolean): FolderAction? {
        val here = offers.firstOrNull { it.jar == status.jar }
        // Loaded by somebody else: this is how it was.
        if (here != null && (name to here.jar) !in tried) taken(here)
        val best = offers.filter { it === here || it.candidate.info.autoLoad }
            .maxWithOrNull(PREFERENCE.thenBy { it === here })
        return when {
            best != null -> {
                unloads.remove(name)
                upgrade(name, status, here, best)
            }
            unsound -> null
            else -> unload(name, status)
        }
    }

    private fun upgrade(name: String, status: DriverStatus, here: Offer?, best: Offer): FolderAction? {
        val newer = status.info?.let { best.candidate.info.version > it.version } ?: true
        if (here != null && best !== here && !newer) return null
        if (!take(best)) return null
        val failed = status.state is DriverState.Failed
        return if (failed) FolderAction.Load(best.candidate) else FolderAction.Upgrade(name, best.candidate)
    }

    /** At once, and where that was refused, once more when nothing of it is open any more. */
    private fun unload(name: String, status: DriverStatus): FolderAction? {
        val tries = unloads[name] ?: 0
        if (tries >= 2 || (tries == 1 && status.devices.isNotEmpty())) return null
        unloads[name] = if (status.devices.isEmpty()) 2 else 1
        return FolderAction.Unload(name)
    }

    private fun take(offer: Offer): Boolean = tried.put(offer.name to offer.jar, offer.fingerprint) != offer.fingerprint

    private companion object {
        /** Of no jar. Not the absence of one, which says that somebody else loaded it. */
        val UNTRIED = JarFingerprint(-1, Instant.EPOCH, "", 0)

        /** The highest version; of the same, the same one each time. */
        val PREFERENCE: Comparator<Offer> = compareBy<Offer> { it.candidate.info.version }.thenByDescending { it.jar }
    }
}
