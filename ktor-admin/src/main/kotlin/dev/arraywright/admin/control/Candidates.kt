package dev.arraywright.admin.control

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.Examination
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.metadata.Superblock

/** Arrays that lie on examined devices, by what the superblocks say; nothing is assembled or changed. */
internal class Candidates private constructor(val arrays: List<Candidate>, private val rejected: List<Examination>) {
    /**
     * The one array, or the one called [name] if given.
     *
     * @throws KernelError.NotFound if there is none at the [places]
     * @throws KernelError.InvalidRequest if there are several
     */
    fun only(name: String?, places: List<String>): Candidate {
        val fitting = arrays.filter { name == null || it.name == name }
        if (fitting.isEmpty()) throw none(name, places)
        if (fitting.size > 1) {
            throw KernelError.InvalidRequest(
                "cannot choose among ${fitting.size} arrays at ${places.joinToString()}",
                fitting.joinToString { "${it.name} (${it.uuid})" },
                "name one of them, or its members",
            )
        }
        return fitting.single()
    }

    private fun none(name: String?, places: List<String>): KernelError {
        val why = when {
            arrays.isNotEmpty() -> "there are ${arrays.joinToString { it.name }}"
            rejected.isNotEmpty() -> rejected.joinToString("; ") { "${it.address}: ${it.problem ?: "no superblock"}" }
            else -> "there is nothing there that could be a member"
        }
        val what = "there is no array${name?.let { " $it" }.orEmpty()} at ${places.joinToString()}"
        return KernelError.NotFound(what, why, "look at the paths, or create one: arraywright create --help")
    }

    companion object {
        fun of(examined: List<Examination>): Candidates {
            val (members, others) = examined.partition { it.superblock != null }
            return Candidates(members.groupBy { it.superblock!!.setUuid() }.values.map(::Candidate), others)
        }
    }
}

/** One array that is not running: [examined] are its members, each with a superblock. */
internal class Candidate(private val examined: List<Examination>) {
    private val newest: Superblock = examined.map { it.superblock!! }.maxWith {
        a,
        b,
        ->
        a.events().compareTo(b.events())
    }

    /** Without the host that mdadm puts before it. */
    val name: String get() = newest.name().substringAfter(':')
    val uuid: String get() = Superblock.mdText(newest.setUuid())
    val members: List<String> get() = examined.map { it.address }

    /** What assembling it from these members would give. */
    fun status(): ArrayStatus {
        val level = RaidLevel.ofMd(newest.level())
        val placed = examined.associate { it to state(it) }
        val slots = (0 until newest.raidDisks()).map { slot ->
            placed.entries.find { (e, state) -> role(e) == slot && state.state != STALE }?.value
                ?: MemberStatus(slot, null, "missing")
        }
        val rest = placed.values.filter { it !in slots }
        val geometry = Geometry(level, newest.layout(), newest.raidDisks(), newest.chunkSize(), component())
        val health = when {
            slots.all { it.state == IN_SYNC } -> ArrayHealth.OPTIMAL
            geometry.survives { slots[it].state == IN_SYNC } -> ArrayHealth.DEGRADED
            else -> ArrayHealth.FAILED
        }
        val size = geometry.arraySize()
        return ArrayStatus(
            name,
            uuid,
            level.toString(),
            size,
            newest.chunkSize(),
            health,
            !newest.clean(),
            newest.events(),
            slots + rest,
        )
    }

    /**
     * Refuses a [change] that cannot be meant, before anything is opened for writing; [examined] is the member to add.
     *
     * @throws KernelError saying why
     */
    fun check(change: MemberChange, member: String, examined: Examination?) {
        val what = "cannot ${change.name.lowercase()} $member"
        if (examined == null) {
            val slot = member.toIntOrNull()
            if (if (slot == null) member in members else slot < newest.raidDisks()) return
            throw KernelError.NotFound(
                what,
                "$name has no such member; it has ${members.joinToString()}",
                "name one of those",
            )
        }
        val info = examined.info ?: throw KernelError.DeviceUnusable(
            what,
            examined.problem.orEmpty(),
            "look at the path",
        )
        val other = examined.superblock?.takeIf { it.setUuid() != newest.setUuid() }
        if (other != null) {
            val why = "it belongs to the array ${other.name()} (${Superblock.mdText(other.setUuid())})"
            throw KernelError.InUse(what, why, "take another; or, if that array is not needed, mdadm --zero-superblock")
        }
        val needed = newest.dataOffset() + newest.size()
        if (info.size() < needed) {
            throw KernelError.DeviceUnusable(
                what,
                "it has ${info.size()} bytes, a member needs $needed",
                "take a larger one",
            )
        }
    }

    private fun component() = newest.size().takeIf { it > 0 } ?: examined.minOf { it.superblock!!.dataSize() }

    private fun role(e: Examination) = newest.role(e.superblock!!.devNumber())

    private fun state(e: Examination): MemberStatus {
        val own = e.superblock!!
        val behind = newest.events() - own.events()
        return when (val role = role(e)) {
            Superblock.SPARE -> MemberStatus(null, e.address, "spare")
            Superblock.FAULTY -> MemberStatus(null, e.address, "faulty", "the other members say so")
            Superblock.JOURNAL -> MemberStatus(null, e.address, "journal", "journals are not supported")
            else -> when {
                behind > 1 -> MemberStatus(role, e.address, STALE, "$behind events behind")
                own.recoveryOffset() != Superblock.IN_SYNC -> MemberStatus(role, e.address, "rebuilding")
                else -> MemberStatus(role, e.address, IN_SYNC)
            }
        }
    }

    private companion object {
        const val STALE = "stale"
        const val IN_SYNC = "in-sync"
    }
}
