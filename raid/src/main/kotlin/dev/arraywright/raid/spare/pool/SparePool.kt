package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.raid.spare.SpareHealth
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.updateAndGet

/** The spares that no group has, by id. Thread-safe: each is had by one only. */
internal class SparePool {
    data class Entry(val spare: SpareDevice, val health: SpareHealth)

    private val entries = MutableStateFlow<Map<String, Entry>>(emptyMap())

    val all: Map<String, Entry> get() = entries.value

    val candidates: List<Candidate>
        get() = all.values.map { (spare, health) ->
            val info = spare.device.info()
            val checking = health == SpareHealth.Checking
            Candidate(
                info.id(),
                info.size(),
                info.logicalBlockSize(),
                info.type(),
                spare.domain,
                dedicated = false,
                obstacle = if (checking) "it is being checked" else null,
                passing = checking,
            )
        }

    /** False if there is one of that id. */
    fun add(spare: SpareDevice, health: SpareHealth): Boolean {
        val entry = Entry(spare, health)
        return change { if (spare.id in it) it else it + (spare.id to entry) }[spare.id] === entry
    }

    /** Takes one out that is not being checked; null if there is none. */
    fun take(id: String): SpareDevice? = remove(id) { it.health != SpareHealth.Checking }

    /** Takes one out whatever is done with it. */
    fun drop(id: String): SpareDevice? = remove(id) { true }

    /** Begins a check of one and returns it as it was; null if there is none, or a check is under way. */
    fun beginCheck(id: String): Entry? {
        while (true) {
            val now = entries.value
            val entry = now[id]?.takeIf { it.health != SpareHealth.Checking } ?: return null
            val next = now + (id to entry.copy(health = SpareHealth.Checking))
            if (entries.compareAndSet(now, next)) return entry
        }
    }

    fun endCheck(id: String, health: SpareHealth) {
        change { now -> now[id]?.let { now + (id to it.copy(health = health)) } ?: now }
    }

    /** Suspends while it is being checked. */
    suspend fun unchecked(id: String) {
        entries.first { it[id]?.health != SpareHealth.Checking }
    }

    private fun remove(id: String, allowed: (Entry) -> Boolean): SpareDevice? {
        while (true) {
            val now = entries.value
            val entry = now[id]?.takeIf(allowed) ?: return null
            if (entries.compareAndSet(now, now - id)) return entry.spare
        }
    }

    private fun change(next: (Map<String, Entry>) -> Map<String, Entry>) = entries.updateAndGet(next)
}
