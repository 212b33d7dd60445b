package dev.arraywright.lab

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.kernelModules
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.koin.dsl.koinApplication
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.minutes

/** A kernel in the guest, and what it told so far, each of which is printed as well: `EVENT number topic subject: …`. */
internal class Told(val kernel: ArraywrightKernel, val pool: BufferPool, scope: CoroutineScope) {
    private val events = MutableStateFlow<List<KernelEvent>>(emptyList())

    init {
        scope.launch {
            kernel.events.collect { event ->
                println("EVENT ${event.sequence} ${event.topic} ${event.subject}: ${event.message}")
                events.value += event
            }
        }
    }

    /** The number of the last one. */
    val last: Long get() = events.value.lastOrNull()?.sequence ?: 0

    /** The first event of this kind after number [after] whose message has [part] in it. */
    suspend fun await(topic: Topic, part: String = "", after: Long = 0): KernelEvent = withTimeout(2.minutes) {
        events.mapNotNull { all ->
            all.firstOrNull { it.sequence > after && it.topic == topic && part in it.message }
        }.first()
    }
}

/** The special file of the drive with this serial number, by a name that stays; see `guest/kernel.sh`. */
internal fun drive(serial: String) = "block:/dev/disk/by-id/nvme-$serial"

/** Starts a kernel in the guest, does [work] with it, and ends the process as that went. */
internal fun inGuest(options: KernelOptions, work: suspend CoroutineScope.(Told) -> Unit) {
    val application = koinApplication { modules(kernelModules(options)) }
    val outcome = runCatching {
        runBlocking(Dispatchers.Default) {
            val kernel = application.koin.get<ArraywrightKernel>()
            val listening = Job()
            work(Told(kernel, application.koin.get(), CoroutineScope(coroutineContext + listening)))
            kernel.shutdown()
            listening.cancel()
        }
        application.close()
    }
    outcome.exceptionOrNull()?.printStackTrace(System.out)
    exitProcess(if (outcome.isSuccess) 0 else 1)
}
