package dev.arraywright.kernel

import dev.arraywright.kernel.event.ArrayAssembled
import dev.arraywright.kernel.event.ArrayStopped
import dev.arraywright.kernel.event.DeviceGroupCreated
import dev.arraywright.kernel.event.DeviceLeftOut
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.array.CreateSpec
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import kotlin.io.path.isDirectory
import kotlin.io.path.isRegularFile
import kotlin.time.Duration

/** The arrays of a kernel. Making, assembling and stopping are done one at a time; running arrays are not held up. */
internal class ArrayRegistry(
    private val engine: Arrays,
    private val members: Members,
    private val events: EventStream,
    private val scope: CoroutineScope,
    private val protection: Protection,
) {
    private val mutex = Mutex()
    private var ended = false
    private val failures = ConcurrentHashMap<String, Exception>()
    private val table = MutableStateFlow<Map<String, ArrayHandle>>(emptyMap())

    val arrays: StateFlow<Map<String, ArrayHandle>> = table.asStateFlow()

    fun named(name: String): ArrayHandle = table.value[name] ?: throw KernelError.NotFound(
        "there is no array $name",
        if (table.value.isEmpty()) "none is running" else "running are " + table.value.keys.joinToString(),
        "create or assemble it first",
    )

    /** An array that was made, and the files that were made for it. */
    class Made(val handle: ArrayHandle, val files: List<Path>)

    suspend fun create(spec: ArraySpec, domains: Map<StorageAddress, String> = emptyMap()): Made = mutex.withLock {
        requireOpen()
        requireFree(spec.name)
        val addresses = members.parseAll(spec.members + spec.spares)
        val made = spec.createFilesOf?.let { members.createFiles(addresses, it, spec.preallocate) }.orEmpty()
        try {
            val handle = running(spec.name, addresses, domains, ::created) { opened ->
                val devices = opened.map { it.device }
                val geometry = CreateSpec(
                    spec.name,
                    spec.level,
                    spec.chunk,
                    assumeClean = spec.assumeClean,
                    force = spec.force,
                    bitmapChunk = spec.bitmapChunk,
                )
                engine.create(geometry, devices.take(spec.members.size), devices.drop(spec.members.size))
            }
            Made(handle, made)
        } catch (e: Throwable) {
            withContext(NonCancellable + Dispatchers.IO) { made.forEach(Files::deleteIfExists) }
            throw e
        }
    }

    suspend fun assemble(
        texts: List<String>,
        name: String?,
        force: Boolean,
        domains: Map<StorageAddress, String> = emptyMap(),
        unopened: ((KernelError) -> Unit)? = null,
    ): ArrayHandle = mutex.withLock {
        requireOpen()
        name?.let(::requireFree)
        running(name, members.parseAll(texts), domains, ::assembled, unopened) { opened ->
            engine.assemble(opened.map { it.device }, force)
        }
    }

    suspend fun stop(name: String): Unit = mutex.withLock { stopped(named(name)) }

    /** Stops all for good, at once, so that one which fails or hangs keeps no other from it; see [abandon]. */
    suspend fun stopAll(): Unit = mutex.withLock {
        ended = true
        coroutineScope {
            for (handle in table.value.values) {
                launch {
                    try {
                        stopped(handle)
                    } catch (e: CancellationException) {
                        throw e
                    } catch (e: Exception) {
                        failures[handle.name] = e
                    }
                }
            }
        }
    }

    /** Gives up those that [stopAll] has not stopped within [bound]; what did not stop as it should, and why. */
    fun abandon(bound: Duration): Map<String, String> {
        val late = table.value.keys.associateWith { "it did not end within $bound" }
        late.forEach(::leave)
        return late + failures.mapValues { (_, e) -> e.message ?: e.javaClass.simpleName }
    }

    suspend fun examine(address: StorageAddress): Examination {
        val opened = try {
            OpenMember(address, members.open(address, null, OpenOptions.READ_ONLY))
        } catch (e: KernelError) {
            return Examination(address.toString(), null, null, e.message)
        }
        try {
            val superblock = engine.examine(opened.device)
            return Examination(address.toString(), opened.device.info(), superblock, null)
        } catch (e: ArrayException) {
            return Examination(address.toString(), opened.device.info(), null, e.why)
        } finally {
            members.close(opened)
        }
    }

    suspend fun scan(places: List<String>): List<Examination> = places.flatMap { filesOf(it) }.map { examine(it) }

    private suspend fun filesOf(place: String): List<StorageAddress> = withContext(Dispatchers.IO) {
        val path = Path.of(place)
        if (!place.startsWith("/") || !path.isDirectory()) return@withContext listOf(members.parse(place))
        Files.list(path).use { files ->
            files.filter { it.isRegularFile() }.sorted().map { members.parse(it.toString()) }.toList()
        }
    }

    private fun requireOpen() {
        if (ended) throw KernelError.Closed()
    }

    private fun requireFree(name: String) {
        if (name.isBlank() || name.length > NAME_LENGTH || name.any { it.isISOControl() || it == '/' }) {
            throw KernelError.InvalidRequest(
                "'$name' names no array",
                "a name is 1 to $NAME_LENGTH printable characters without '/'",
                "choose another",
            )
        }
        if (name in table.value)
            throw KernelError.InUse(
                "cannot use the name $name",
                "an array of that name runs",
                "choose another",
            )
    }

    /** Opens, brings up with [start], and registers; on failure closes what was opened. */
    private suspend fun running(
        name: String?,
        addresses: List<StorageAddress>,
        domains: Map<StorageAddress, String>,
        news: (ArrayStatus) -> Occurrence,
        unopened: ((KernelError) -> Unit)? = null,
        start: suspend (List<OpenMember>) -> RaidArray,
    ): ArrayHandle {
        val opened = members.openAll(addresses, name.orEmpty(), unopened)
        try {
            val raid = start(opened)
            val handle = ArrayHandle(name ?: raid.name.substringAfter(':'), raid, members, opened)
            members.closeAll(opened.filterNot { it.isUsedBy(raid) })
            register(handle, domains, news)
            return handle
        } catch (e: ArrayException) {
            members.closeAll(opened)
            throw e.toKernelError()
        } catch (e: Throwable) {
            members.closeAll(opened)
            throw e
        }
    }

    private suspend fun register(
        handle: ArrayHandle,
        domains: Map<StorageAddress, String>,
        news: (ArrayStatus) -> Occurrence,
    ) {
        val name = handle.name
        table.update { it + (name to handle) }
        events.emit(news(handle.status.value))
        for ((address, why) in handle.leftOut) events.emit(DeviceLeftOut(name, address, why))
        try {
            protection.register(handle, domains)
        } catch (e: Throwable) {
            withContext(NonCancellable) { stopped(handle) }
            throw e
        }
        scope.launch { handle.changes().collect { handle.refresh() } }
    }

    private fun created(now: ArrayStatus): Occurrence {
        val (members, spares) = now.members.partition { it.slot != null }
        return DeviceGroupCreated(now.name, now.level, now.size, members.addresses(), spares.addresses())
    }

    private fun assembled(now: ArrayStatus): Occurrence =
        ArrayAssembled(now.name, now.level, now.size, now.members.addresses())

    private fun List<MemberStatus>.addresses(): List<String> = mapNotNull { it.address }

    private suspend fun stopped(handle: ArrayHandle) {
        try {
            protection.unregister(handle)
            handle.stop()
        } catch (e: Throwable) {
            leave(handle.name, e.message ?: e.javaClass.simpleName)
            throw e
        }
        leave(handle.name, null)
    }

    /** Told once, whoever comes first. */
    private fun leave(name: String, cause: String?) {
        if (name in table.getAndUpdate { it - name }) events.emit(ArrayStopped(name, cause))
    }

    private companion object {
        const val NAME_LENGTH = 32
    }
}
