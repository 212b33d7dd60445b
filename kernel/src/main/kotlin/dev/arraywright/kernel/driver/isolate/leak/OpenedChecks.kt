package dev.arraywright.kernel.driver.isolate.leak

import java.lang.ref.Reference
import java.lang.reflect.Field

/** Fields that only a reflective look shows; null where the module does not open the package to this one. */
internal object Peek {
    fun field(type: Class<*>, name: String): Field? = try {
        type.getDeclaredField(name).takeIf { it.trySetAccessible() }
    } catch (_: NoSuchFieldException) {
        null
    }

    fun field(type: String, name: String, from: ClassLoader? = null): Field? = try {
        field(Class.forName(type, false, from), name)
    } catch (_: ClassNotFoundException) {
        null
    }

    const val OPEN = "(--add-opens java.base/java.lang=ALL-UNNAMED lets the kernel look)"
}

/** ThreadLocals of live threads whose key or value is the driver's. */
internal class ThreadLocalCheck : LeakCheck {
    private val maps = listOf("threadLocals", "inheritableThreadLocals").mapNotNull {
        Peek.field(Thread::class.java, it)
    }
    private val table = Peek.field("java.lang.ThreadLocal\$ThreadLocalMap", "table")
    private val value = Peek.field("java.lang.ThreadLocal\$ThreadLocalMap\$Entry", "value")

    override fun holders(loader: WatchedLoader): List<LeakHolder> {
        if (table == null || value == null) return emptyList()
        return Thread.getAllStackTraces().keys.flatMap { thread ->
            maps.mapNotNull { it.get(thread) }
                .flatMap { (table.get(it) as? Array<*>).orEmpty().filterNotNull() }
                .filter { loader.owns(value.get(it)) || loader.owns((it as Reference<*>).get()) }
                .map { LeakHolder(LeakKind.THREAD_LOCAL, "of the thread '${thread.name}', ${what(value.get(it))}") }
        }
    }

    override fun unseen(): List<String> =
        if (value == null) listOf("ThreadLocals other than in a heap dump ${Peek.OPEN}") else emptyList()

    private fun what(value: Any?) = "whose value is a ${value?.javaClass?.name}"
}

/** Hooks of the process that are the driver's. */
internal class ShutdownHookCheck : LeakCheck {
    private val hooks = Peek.field("java.lang.ApplicationShutdownHooks", "hooks")

    override fun holders(loader: WatchedLoader): List<LeakHolder> {
        val threads = (hooks?.get(null) as? Map<*, *>)?.keys.orEmpty().toList().filterIsInstance<Thread>()
        return threads.filter { loader.owns(it) || loader.owns(it.contextClassLoader) }
            .map { LeakHolder(LeakKind.SHUTDOWN_HOOK, "the thread '${it.name}'") }
    }

    override fun unseen(): List<String> =
        if (hooks == null) listOf("shutdown hooks other than in a heap dump ${Peek.OPEN}") else emptyList()
}

/**
 * JNA's static maps, if JNA is shared with drivers: some of them keep what they are asked about for good, and all of
 * them are weak by their keys, so what is in them may also be held by something else.
 */
internal class JnaCheck : LeakCheck {
    private val maps = MAPS.mapNotNull { (type, field) ->
        Peek.field("com.sun.jna.$type", field, javaClass.classLoader)
    }

    override fun holders(loader: WatchedLoader): List<LeakHolder> = maps.flatMap { field ->
        val map = field.get(null) as? Map<*, *> ?: return@flatMap emptyList()
        val keys = synchronized(map) { map.keys.toList() }
        keys.filter(loader::owns).map {
            val type = (it as? Class<*> ?: it!!.javaClass).name
            LeakHolder(LeakKind.JNA, "${field.declaringClass.name}.${field.name} has $type", certain = false)
        }
    }

    private companion object {
        val MAPS = listOf(
            "Structure" to "layoutInfo",
            "Structure" to "fieldList",
            "Structure" to "fieldOrder",
            "Native" to "typeOptions",
            "Native" to "libraries",
            "Native" to "registeredClasses",
            "Native" to "registeredLibraries",
            "CallbackReference" to "callbackMap",
            "CallbackReference" to "directCallbackMap",
        )
    }
}
