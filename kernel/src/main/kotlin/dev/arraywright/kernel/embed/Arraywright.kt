package dev.arraywright.kernel.embed

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.ExportInfo
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.event.KernelEvent
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.future.future
import kotlinx.coroutines.jdk9.asPublisher
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.nio.file.Path
import java.util.concurrent.CompletionStage
import java.util.concurrent.Flow

/**
 * [ArraywrightKernel] for Java: what suspends there returns a [CompletionStage] here, what flows is a [Flow.Publisher].
 * Stages fail with a `KernelError`, or with a `DeviceIoException` for reads and writes. Thread-safe. Dependent stages
 * must not block.
 */
public class Arraywright private constructor(private val kernel: ArraywrightKernel) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val following = CoroutineScope(scope.coroutineContext + SupervisorJob(scope.coroutineContext.job))

    /** Creates an array and runs it. */
    public fun createArray(request: ArrayRequest): CompletionStage<EmbeddedArray> =
        scope.future { EmbeddedArray(kernel.createArray(request.spec()), scope) }

    /** Runs the array that the members belong to, under the name in its superblocks. */
    public fun assembleArray(members: List<String>): CompletionStage<EmbeddedArray> =
        scope.future { EmbeddedArray(kernel.assembleArray(members), scope) }

    /** Marks an array clean, ends it and closes its members. */
    public fun stopArray(name: String): CompletionStage<Void?> = scope.void { kernel.stopArray(name) }

    /** Exports an array over NBD at a TCP port of the loopback; port 0 takes a free one. */
    public fun export(array: String, port: Int): CompletionStage<ExportInfo> = scope.future {
        kernel.listen(NbdConfiguration(port = port))
        kernel.export(array, ExportConfiguration(array))
    }

    /** Makes what runs be what the configuration says; the stage tells what failed. See [ArraywrightKernel.apply]. */
    public fun apply(configuration: Configuration): CompletionStage<List<KernelError>> =
        scope.future { kernel.apply(configuration) }

    /**
     * Runs what a configuration [file] says, and follows the file from then on until [close]; once for each file. The
     * stage tells what failed at first; what comes of an edit is among the [events]. See [ConfigurationFile].
     */
    public fun follow(file: Path): CompletionStage<List<KernelError>> = scope.future {
        val followed = withContext(Dispatchers.IO) { ConfigurationFile.open(file) }
        kernel.apply(followed.current.value).also {
            following.launch { followed.follow(kernel) }
        }
    }

    /** What happens, in order, beginning with the latest events. */
    public fun events(): Flow.Publisher<KernelEvent> = kernel.events.asPublisher()

    /** What happened from event number [sequence] on, and then what happens; see [ArraywrightKernel.eventsSince]. */
    public fun eventsSince(sequence: Long): Flow.Publisher<KernelEvent> = kernel.eventsSince(sequence).asPublisher()

    /** The kernel behind this face. */
    public fun kernel(): ArraywrightKernel = kernel

    /** Ends everything that was started; blocks for that long, within the kernel's bound. */
    override fun close() {
        following.cancel()
        kernel.close()
        scope.cancel()
    }

    public companion object {
        /** Starts a kernel. */
        @JvmStatic
        public fun start(): Arraywright = Arraywright(ArraywrightKernel.start())
    }
}

/** A running array; see [ArrayHandle], whose shapes, errors and durability these are. */
public class EmbeddedArray internal constructor(private val array: ArrayHandle, private val scope: CoroutineScope) {
    public fun name(): String = array.name

    /** Bytes. */
    public fun size(): Long = array.size

    /** How the array is now. */
    public fun status(): ArrayStatus = array.status.value

    /** How the array is now and, later, each time it changes; a slow subscriber sees the latest. */
    public fun statuses(): Flow.Publisher<ArrayStatus> = array.status.asPublisher()

    /** Fills the buffer's remaining bytes; it is the array's until the stage ends. */
    public fun read(
        target: ByteBuffer,
        offset: Long,
    ): CompletionStage<Void?> = scope.void { array.read(target, offset) }

    /** Writes the buffer's remaining bytes; it is the array's until the stage ends. */
    public fun write(
        source: ByteBuffer,
        offset: Long,
    ): CompletionStage<Void?> = scope.void { array.write(source, offset) }

    /** Ends once all writes that had ended before are on stable storage. */
    public fun flush(): CompletionStage<Void?> = scope.void { array.flush() }

    /** Takes a member, by address or slot number, out of service. */
    public fun fail(member: String): CompletionStage<Void?> = scope.void { array.fail(member) }

    /** Lets go of a failed member or a spare. */
    public fun remove(member: String): CompletionStage<Void?> = scope.void { array.remove(member) }

    /** Takes a device in, onto an empty slot or as a spare. */
    public fun add(member: String): CompletionStage<Void?> = scope.void { array.add(member) }

    /** Ends once no resync and no rebuild is running. */
    public fun awaitIdle(): CompletionStage<Void?> = scope.void { array.awaitIdle() }
}

private fun CoroutineScope.void(action: suspend () -> Unit): CompletionStage<Void?> = future {
    action()
    null
}
