package dev.arraywright.admin.control

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** The processes of this user that hold arrays, found by their control sockets. */
internal class Holders(private val directory: RuntimeDirectory) {
    /** The one that keeps a configuration running, or null if there is none; the caller closes it. */
    fun serving(): Control? = directory.serving()?.let(::RemoteControl)

    /** The one that keeps a configuration running, else any that holds arrays, else null; the caller closes it. */
    fun first(): Control? = directory.sockets().firstOrNull()?.let(::RemoteControl)

    /** All of them; the caller closes each. */
    fun all(): List<Control> = directory.sockets().map(::RemoteControl)

    /**
     * Does [block] with the process that holds [array].
     *
     * @throws KernelError.NotFound if no process does
     */
    suspend fun <T> of(array: String, block: suspend (Control) -> T): T {
        val names = mutableListOf<String>()
        for (control in all()) {
            control.use {
                val held = it.arrays().map { status -> status.name }
                if (array in held) return block(it)
                names += held
            }
        }
        throw KernelError.NotFound(
            "there is no running array $array",
            if (names.isEmpty()) "no process here holds an array" else "running: ${names.sorted().joinToString()}",
            "start one with arraywright serve, or name the members",
        )
    }
}

/** Does [block] with a kernel of its own, which is shut down afterwards, also when the process is told to end meanwhile. */
internal suspend fun <T> withKernel(
    options: KernelOptions = KernelOptions(watch = false),
    block: suspend (ArraywrightKernel) -> T,
): T {
    val kernel = ArraywrightKernel.start(options)
    val hook = Thread(kernel::close, "arraywright-end")
    Runtime.getRuntime().addShutdownHook(hook)
    try {
        return block(kernel)
    } finally {
        withContext(NonCancellable) { kernel.shutdown() }
        try {
            Runtime.getRuntime().removeShutdownHook(hook)
        } catch (_: IllegalStateException) {
            // The process is ending already, and the hook is what ends it.
        }
    }
}
