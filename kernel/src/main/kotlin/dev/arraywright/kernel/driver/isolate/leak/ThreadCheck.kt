package dev.arraywright.kernel.driver.isolate.leak

/** Live threads whose class, code or context class loader is the driver's. */
internal class ThreadCheck : LeakCheck {
    override fun holders(loader: WatchedLoader): List<LeakHolder> =
        Thread.getAllStackTraces().mapNotNull { (thread, frames) -> holder(loader, thread, frames.asList()) }

    override fun unseen(): List<String> =
        listOf("virtual threads: the JDK does not list them (a jcmd Thread.dump_to_file has those that run)")

    private fun holder(loader: WatchedLoader, thread: Thread, frames: List<StackTraceElement>): LeakHolder? {
        val own = frames.firstOrNull { it.classLoaderName == loader.name }
        val context = loader.owns(thread.contextClassLoader)
        if (own == null && !context && !loader.owns(thread.javaClass) && !loader.owns(handler(thread))) return null
        val name = "'${thread.name}'"
        return when {
            COROUTINES.any { thread.name.startsWith(it) || thread.javaClass.name == it } ->
                LeakHolder(LeakKind.COROUTINE_DISPATCHER, "its thread $name is alive; the driver has to close it")
            frames.any { it.className == TIMER } ->
                LeakHolder(LeakKind.TIMER, "its thread $name is alive; the driver has to cancel it")
            own != null -> LeakHolder(LeakKind.THREAD, "$name runs the driver's code, at $own")
            context -> LeakHolder(
                LeakKind.CONTEXT_CLASS_LOADER,
                "of the thread $name${if (frames.any { it.className == POOL }) ", which is of a pool" else ""}",
            )
            else -> LeakHolder(LeakKind.THREAD, "$name is alive, and its class or exception handler is the driver's")
        }
    }

    /** A thread without a handler of its own answers with its group, which is none of the driver's doing. */
    private fun handler(thread: Thread) = thread.uncaughtExceptionHandler

    private companion object {
        const val TIMER = "java.util.TimerThread"
        const val POOL = "java.util.concurrent.ThreadPoolExecutor"
        val COROUTINES = listOf(
            "DefaultDispatcher-worker",
            "kotlinx.coroutines.DefaultExecutor",
            "kotlinx.coroutines.scheduling.CoroutineScheduler\$Worker",
        )
    }
}
