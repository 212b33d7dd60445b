package dev.arraywright.kernel

import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.device.file.FileImages
import dev.arraywright.spi.device.AddressSyntaxException
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.withContext
import java.nio.file.Files
import java.nio.file.InvalidPathException
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

/** A device that this kernel has open, and the [array] it belongs to; absent for a shared spare, and while it is looked at. */
public data class DeviceEntry(
    public val address: String,
    public val info: DeviceInfo,
    public val array: String?,
)

/**
 * The devices a kernel has open, by address. An open device is claimed against every other opener, so each stands here
 * once; whoever opened it closes it here.
 */
internal class Members(private val opener: DeviceOpener) {
    private val table = MutableStateFlow<Map<String, DeviceEntry>>(emptyMap())
    private val holders = ConcurrentHashMap<String, AsyncBlockDevice>()

    val entries: StateFlow<Map<String, DeviceEntry>> = table.asStateFlow()

    /** What to do about an address of a scheme that no driver serves, as far as somebody knows. */
    @Volatile var advice: (scheme: String) -> String? = { null }

    /** As [parseAddress]. */
    fun parse(text: String): StorageAddress = parseAddress(text)

    /** Parses all, refusing one that stands twice. */
    fun parseAll(texts: List<String>): List<StorageAddress> {
        val addresses = texts.map(::parse)
        val twice = addresses.groupingBy { it }.eachCount().filterValues { it > 1 }.keys.firstOrNull()
        if (twice != null) {
            throw KernelError.InvalidRequest(
                "$twice is named twice",
                "a device is one member only",
                "name each device once",
            )
        }
        return addresses
    }

    /** Opens and claims a device for [array]. */
    suspend fun open(
        address: StorageAddress,
        array: String?,
        options: OpenOptions = OpenOptions.DEFAULT,
    ): AsyncBlockDevice {
        val device = try {
            opener.open(address, options)
        } catch (e: DriverException) {
            val error = KernelError.of(address.toString(), e)
            val unserved = e.reason() == DriverException.Reason.UNSUPPORTED && address.scheme() !in opener.schemes
            val remedy = if (unserved) advice(address.scheme()) else null
            throw remedy?.let { error.retold(error.what, error.why, it) } ?: error
        }
        holders[address.toString()] = device
        table.update { it + (address.toString() to DeviceEntry(address.toString(), device.info(), array)) }
        return device
    }

    /** An open device; null if none is open there. */
    fun device(address: StorageAddress): AsyncBlockDevice? = holders[address.toString()]

    /** An open device belongs to [array] from now on. */
    fun assign(address: StorageAddress, array: String?) {
        table.update { all ->
            all[address.toString()]?.let { all + (it.address to it.copy(array = array)) } ?: all
        }
    }

    /** Opens all or none; with [unopened], all that can be, telling of the others, but not none. */
    suspend fun openAll(
        addresses: List<StorageAddress>,
        array: String,
        unopened: ((KernelError) -> Unit)? = null,
    ): List<OpenMember> {
        val opened = mutableListOf<OpenMember>()
        val failures = mutableListOf<KernelError>()
        try {
            for (address in addresses) {
                try {
                    opened += OpenMember(address, open(address, array))
                } catch (e: KernelError) {
                    if (unopened == null) throw e
                    failures += e
                }
            }
            if (opened.isEmpty()) failures.firstOrNull()?.let { throw it }
            unopened?.let(failures::forEach)
        } catch (e: Throwable) {
            closeAll(opened)
            throw e
        }
        return opened
    }

    /** Closes a device and gives up its claim; closing may wait for the system, so it does so elsewhere. */
    suspend fun close(member: OpenMember) {
        withContext(NonCancellable + Dispatchers.IO) { member.device.close() }
        // It may have been opened anew meanwhile.
        if (holders.remove(member.address.toString(), member.device)) table.update { it - member.address.toString() }
    }

    suspend fun closeAll(members: Collection<OpenMember>) {
        for (member in members) close(member)
    }

    /** Creates the files among [addresses] that do not exist; on failure, those made here are removed again. */
    suspend fun createFiles(addresses: List<StorageAddress>, size: Long, preallocate: Boolean): List<Path> =
        withContext(Dispatchers.IO) {
            val made = mutableListOf<Path>()
            try {
                for (address in addresses) {
                    val path = Path.of((address as? StorageAddress.File ?: continue).path())
                    if (Files.exists(path)) continue
                    try {
                        FileImages.create(path, size, preallocate)
                    } catch (e: DriverException) {
                        throw KernelError.of(address.toString(), e)
                    }
                    made.add(path)
                }
            } catch (e: Throwable) {
                made.forEach(Files::deleteIfExists)
                throw e
            }
            made
        }
}

/** An open device and the address it was opened by. */
internal class OpenMember(val address: StorageAddress, val device: AsyncBlockDevice) {
    val id: String get() = device.info().id()
}

/** The address a text stands for; a bare path is a block device or a file, as what is there. */
internal fun parseAddress(text: String): StorageAddress {
    if (text.startsWith("/")) {
        val path = try {
            Path.of(text).normalize().toString()
        } catch (e: InvalidPathException) {
            throw KernelError.InvalidRequest(
                "'$text' is no storage address",
                "it is no path: ${e.reason}",
                "name a file",
                e,
            )
        }
        val special = Files.exists(Path.of(path)) && !Files.isRegularFile(Path.of(path)) && path.startsWith("/dev/")
        return if (special) StorageAddress.Block(path) else StorageAddress.File(path)
    }
    return try {
        StorageAddress.parse(text)
    } catch (e: AddressSyntaxException) {
        throw KernelError.InvalidRequest(
            "'$text' is no storage address",
            "${e.reason()} at position ${e.position()}",
            "write file:/path, block:/dev/name, nbd://host/export or memory:size",
            e,
        )
    }
}
