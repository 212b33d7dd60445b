package dev.arraywright.kernel.driver.isolate.leak

/**
 * What keeps an unloaded driver in memory.
 *
 * @property driver the loader's name
 * @property holders those found, the certain ones first; empty if none of the checks found any
 * @property unseen where could not be looked, a sentence each
 */
public class LeakReport internal constructor(
    public val driver: String,
    holders: List<LeakHolder>,
    public val unseen: List<String>,
) {
    public val holders: List<LeakHolder> = holders.distinct().sortedBy { !it.certain }

    /** For an operator: a line each. */
    override fun toString(): String = buildString {
        append("the driver $driver is in memory still")
        append(if (holders.isEmpty()) ", and what holds it was not found" else "; it is held by")
        holders.forEach { append("\n  ${if (it.certain) "" else "perhaps "}${it.kind.title}: ${it.what}") }
        unseen.forEach { append("\n  not looked at: $it") }
    }
}

/**
 * Something that holds a driver.
 *
 * @property what names it, for the driver's author
 * @property certain whether it is known to hold the driver; otherwise it may be held itself by the driver alone
 */
public data class LeakHolder(val kind: LeakKind, val what: String, val certain: Boolean = true)

/** Kinds of holders. */
public enum class LeakKind(public val title: String) {
    /** A live thread that runs the driver's code. */
    THREAD("thread"),

    /** A live thread whose context class loader is the driver's. */
    CONTEXT_CLASS_LOADER("context class loader"),

    /** A value of a live thread's ThreadLocal. */
    THREAD_LOCAL("ThreadLocal"),

    /** A hook that runs when the process ends. */
    SHUTDOWN_HOOK("shutdown hook"),

    /** A dispatcher of the driver's own coroutines, which it did not close. */
    COROUTINE_DISPATCHER("coroutine dispatcher"),

    /** A timer that was not cancelled, or a thread pool that was not shut down. */
    TIMER("timer or pool"),

    /** A level, handler or filter of java.util.logging. */
    LOGGING("logging"),

    /** A bean of the platform's JMX server. */
    JMX("JMX bean"),

    /** One of JNA's maps. */
    JNA("JNA"),

    /** Registered with java.sql.DriverManager. */
    SQL_DRIVER("SQL driver"),

    /** A provider of java.security. */
    SECURITY_PROVIDER("security provider"),

    /** A default of the whole process, such as its proxy selector or a system property. */
    PROCESS_DEFAULT("default of the process"),

    /** Anything else. */
    OTHER("reference"),
}
