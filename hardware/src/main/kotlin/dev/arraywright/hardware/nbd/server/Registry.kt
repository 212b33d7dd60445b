package dev.arraywright.hardware.nbd.server

import java.util.concurrent.atomic.AtomicBoolean

/** The exports of a server by name, in the order they were added. */
internal class Registry : ExportDirectory {
    private val closed = AtomicBoolean()

    @Volatile
    private var byName: Map<String, LiveExport> = emptyMap()

    override val closing: Boolean get() = closed.get()

    /** The export of that name; the empty name means the only export, if there is one and it has another name. */
    override fun find(name: String): LiveExport? {
        val now = byName
        return now[name] ?: if (name.isEmpty() && now.size == 1) now.values.single() else null
    }

    fun named(name: String): LiveExport? = byName[name]

    override fun list(): List<NbdExport> = byName.values.map { it.export }

    @Synchronized
    fun add(export: NbdExport) {
        check(!closing) { "the server is closed" }
        require(export.name !in byName) { "there is an export '${export.name}' already" }
        byName = byName + (export.name to LiveExport(export))
    }

    @Synchronized
    fun remove(name: String): LiveExport? = byName[name]?.also { byName = byName - name }

    /** False if it was closed before. */
    fun close(): Boolean = closed.compareAndSet(false, true)
}
