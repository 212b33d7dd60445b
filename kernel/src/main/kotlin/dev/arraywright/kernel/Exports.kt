package dev.arraywright.kernel

import dev.arraywright.hardware.nbd.server.NbdEndpoint
import dev.arraywright.hardware.nbd.server.NbdExport
import dev.arraywright.hardware.nbd.server.NbdLimits
import dev.arraywright.hardware.nbd.server.NbdListenException
import dev.arraywright.hardware.nbd.server.NbdServer
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.ExportStarted
import dev.arraywright.kernel.event.ExportStopped
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.serialization.Serializable
import java.nio.file.Path

/** An array's export: what clients ask for by [name], and the [uri] they find it at. */
@Serializable
public data class ExportInfo(
    public val name: String,
    public val array: String,
    public val size: Long,
    public val readOnly: Boolean,
    public val uri: String,
)

/** The kernel's NBD server, started by the first [listen], and what it exports. */
internal class Exports(private val buffers: BufferAllocator, private val events: EventStream) {
    private val mutex = Mutex()
    private val table = MutableStateFlow<Map<String, ExportInfo>>(emptyMap())
    private var server: NbdServer? = null
    private var endpoint: NbdEndpoint? = null
    private var ended = false

    val entries: StateFlow<Map<String, ExportInfo>> = table.asStateFlow()

    /** True once [listen] has succeeded, until the end. */
    val running: Boolean get() = endpoint != null

    suspend fun listen(configuration: NbdConfiguration): Unit = mutex.withLock {
        if (ended) throw KernelError.Closed()
        if (server != null) {
            throw KernelError.InUse("the NBD server runs already", "it listens at $endpoint", "stop it first")
        }
        val wanted = configuration.socket
            ?.let { NbdEndpoint.Unix(Path.of(it).toAbsolutePath()) }
            ?: NbdEndpoint.Tcp(configuration.host, configuration.port, configuration.allowRemote)
        server = try {
            withContext(Dispatchers.IO) { NbdServer.start(wanted, NbdLimits(), buffers) }
        } catch (e: NbdListenException) {
            val what = "cannot export over NBD"
            throw when (e) {
                is NbdListenException.AddressInUse -> KernelError.InUse(what, e.message.orEmpty(), e.remedy, e)
                else -> KernelError.InvalidRequest(what, e.message.orEmpty(), e.remedy, e)
            }
        }
        endpoint = wanted
    }

    suspend fun export(array: ArrayHandle, wish: ExportConfiguration): ExportInfo = mutex.withLock {
        val running = server ?: throw KernelError.InvalidRequest(
            "cannot export ${array.name}",
            "the NBD server does not run",
            "call listen first",
        )
        if (wish.name in table.value) {
            throw KernelError.InUse(
                "cannot export ${array.name}",
                "an export ${wish.name} exists",
                "choose another name",
            )
        }
        val export = NbdExport(wish.name, array.device(), wish.description, wish.readOnly, multiConn = true)
        running.export(export)
        val info = ExportInfo(wish.name, array.name, array.size, wish.readOnly, uri(running, wish.name))
        table.update { it + (wish.name to info) }
        events.emit(ExportStarted(array.name, wish.name, info.uri))
        info
    }

    suspend fun unexport(name: String): Unit = mutex.withLock {
        val info = table.value[name]
            ?: throw KernelError.NotFound("cannot end the export $name", "there is none of that name")
        withContext(Dispatchers.IO) { server?.unexport(name) }
        table.update { it - name }
        events.emit(ExportStopped(info.array, name))
    }

    /** Ends every connection and export; clients see a shutdown. */
    suspend fun close(): Unit = withContext(NonCancellable) {
        mutex.withLock {
            ended = true
            withContext(Dispatchers.IO) { server?.close() }
            server = null
            table.value.values.forEach { events.emit(ExportStopped(it.array, it.name, "the kernel closes")) }
            table.value = emptyMap()
        }
    }

    private fun uri(running: NbdServer, name: String): String = when (val at = endpoint) {
        is NbdEndpoint.Unix -> StorageAddress.NbdUnix(at.path.toString(), name).toString()
        is NbdEndpoint.Tcp -> StorageAddress.Nbd(at.host, running.port, name).toString()
        null -> error("an export without a listener")
    }
}
