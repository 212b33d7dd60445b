package dev.arraywright.kernel.config

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.isolate.SharedPackages
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.ByteSize
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.time.Duration

/**
 * What `arraywright serve` keeps running: JSON, comments and trailing commas allowed, unknown keys refused.
 *
 * ```
 * {
 *   "arrays": [ {
 *     "name": "vault",
 *     "members": [ "file:/var/lib/arraywright/m0.img", "file:/var/lib/arraywright/m1.img" ],
 *     "export": { "name": "vault" }            // absent: not exported
 *   } ],
 *   "nbd":  { "host": "127.0.0.1", "port": 10809 },
 *   "http": { "host": "127.0.0.1", "port": 8809 },
 *   "driverDirectory": "/var/lib/arraywright/drivers",
 *   "drivers": { "overlay": { "settings": { "block-size": "64KiB" } } }
 * }
 * ```
 */
@Serializable
public data class Configuration(
    public val arrays: List<ArrayConfiguration> = emptyList(),
    public val nbd: NbdConfiguration = NbdConfiguration(),
    public val http: HttpConfiguration = HttpConfiguration(),
    /** How all arrays are looked after. */
    public val policy: PolicyConfiguration = PolicyConfiguration(),
    /** Spares for any array. */
    public val spares: List<
        @Serializable(with = SpareOrAddress::class)
        SpareConfiguration,
    > = emptyList(),
    /** How long a device may take for one call; read when a kernel is started. Absent: the kernel's default. */
    @Serializable(with = DurationText::class)
    public val memberDeadline: Duration? = null,
    /** From when on the health of a disk is a matter of concern. */
    public val health: HealthConfiguration = HealthConfiguration(),
    /** When memory is short; read when a kernel is started. */
    public val memory: MemoryConfiguration = MemoryConfiguration(),
    /** Whether to follow what happens to the machine; read when a kernel is started. */
    public val watch: Boolean = true,
    /** Drivers that are loaded at run time, by name. */
    public val drivers: Map<String, DriverConfiguration> = emptyMap(),
    /** Where their jars are; read when a kernel is started. Absent: nowhere. */
    public val driverDirectory: String? = null,
    /** What drivers see of the application besides the SPI, as `org.slf4j.**`; read when a kernel is started. */
    public val sharedPackages: List<String> = emptyList(),
    /** How many drivers may be loaded at once; absent: as before, which is the kernel's default at first. */
    public val maxLoadedDrivers: Int? = null,
) {
    init {
        val twice = arrays.groupingBy { it.name }.eachCount().filterValues { it > 1 }.keys
        require(twice.isEmpty()) { "arrays: the name ${twice.first()} stands twice" }
        val shared = arrays.flatMap {
            it.members + it.spares
        }.groupingBy { it }.eachCount().filterValues { it > 1 }.keys
        require(shared.isEmpty()) { "arrays: the member ${shared.first()} stands twice" }
        val spare = spares.groupingBy { it.address }.eachCount().filterValues { it > 1 }.keys
        require(spare.isEmpty()) { "spares: ${spare.first()} stands twice" }
        require(maxLoadedDrivers == null || maxLoadedDrivers > 0) {
            "maxLoadedDrivers: it must be above 0, not $maxLoadedDrivers"
        }
        drivers.keys.forEach { name ->
            require(DRIVER.matches(name)) { "drivers: '$name' is no driver's name, which has a-z, 0-9 and - . _" }
        }
        require(driverDirectory == null || (driverDirectory.isNotBlank() && '\u0000' !in driverDirectory)) {
            "driverDirectory: it is blank, or no path"
        }
        try {
            SharedPackages(sharedPackages)
        } catch (e: IllegalArgumentException) {
            throw IllegalArgumentException("sharedPackages: ${e.message}", e)
        }
        require(memberDeadline?.isPositive() != false) { "memberDeadline: it must be above 0, not $memberDeadline" }
        val exported = arrays.mapNotNull { it.export?.name }.groupingBy { it }.eachCount().filterValues { it > 1 }.keys
        require(exported.isEmpty()) { "arrays: the export name ${exported.first()} stands twice" }
    }

    /** A kernel's [options] with what counts from its start on. */
    public fun applyTo(options: KernelOptions): KernelOptions = options.copy(
        memberDeadline = memberDeadline ?: options.memberDeadline,
        watch = watch,
        memory = memory.toOptions(),
        readCache = memory.readCache ?: options.readCache,
        drivers = options.drivers.copy(
            directory = driverDirectory?.let(::directory) ?: options.drivers.directory,
            configured = drivers,
            sharedPackages = sharedPackages.ifEmpty { options.drivers.sharedPackages },
            maxLoaded = maxLoadedDrivers ?: options.drivers.maxLoaded,
        ),
    )

    public companion object {
        private val DRIVER = Regex("[a-z0-9][a-z0-9._-]{0,63}")

        @OptIn(ExperimentalSerializationApi::class)
        private val json = Json {
            allowComments = true
            allowTrailingComma = true
            prettyPrint = true
            encodeDefaults = true
            explicitNulls = false
        }

        /**
         * Reads a configuration; [source] names it in errors.
         *
         * @throws KernelError.BadConfiguration with the place and the nearest known key where one is unknown
         */
        public fun parse(text: String, source: String): Configuration =
            try {
                json.decodeFromString(serializer(), text)
            } catch (e: SerializationException) {
                throw KernelError.BadConfiguration("cannot use the configuration $source", explain(e), REMEDY, e)
            } catch (e: IllegalArgumentException) {
                throw KernelError.BadConfiguration(
                    "cannot use the configuration $source",
                    e.message.orEmpty(),
                    REMEDY,
                    e,
                )
            }

        /** Like [parse], of a file. */
        public fun load(file: Path): Configuration {
            val text = try {
                file.readText()
            } catch (e: IOException) {
                val why = if (Files.exists(file)) "it cannot be read" else "there is no such file"
                throw KernelError.BadConfiguration("cannot use the configuration $file", why, "name a readable file", e)
            }
            return parse(text, file.toString())
        }

        private const val REMEDY = "correct the file; nothing was started or changed"

        private fun explain(e: SerializationException): String {
            val first = e.message.orEmpty().lineSequence().first()
            val key = Regex("unknown key '([^']+)'").find(first)?.groupValues?.get(1) ?: return first
            return "$first; did you mean '${nearest(key, KEYS)}'?"
        }

        private val KEYS = listOf(
            Configuration.serializer(),
            ArrayConfiguration.serializer(),
            ExportConfiguration.serializer(),
            NbdConfiguration.serializer(),
            HttpConfiguration.serializer(),
            PolicyConfiguration.serializer(),
            LatencyConfiguration.serializer(),
            SpareConfiguration.serializer(),
            HealthConfiguration.serializer(),
            MemoryConfiguration.serializer(),
            DriverConfiguration.serializer(),
        ).flatMap { s -> (0 until s.descriptor.elementsCount).map(s.descriptor::getElementName) }.distinct()
    }

    /** The text [parse] reads back. */
    public fun print(): String = json.encodeToString(serializer(), this) + "\n"
}

/**
 * One array to keep running: its [name], the addresses of its [members] (the order of the slots, where it is made) and of
 * its own [spares], and its [export] if it has one.
 */
@Serializable
public data class ArrayConfiguration(
    public val name: String,
    public val members: List<String>,
    public val export: ExportConfiguration? = null,
    public val spares: List<String> = emptyList(),
    /** Failure domains (enclosure, node, host) of members and spares, by address. */
    public val domains: Map<String, String> = emptyMap(),
    /** If set, the array is made where all members are blank: `raid6`. */
    public val level: String? = null,
    /** Bytes of a chunk, where it is made. */
    @Serializable(with = ByteSizeText::class)
    public val chunk: Long = ArraySpec.DEFAULT_CHUNK.toLong(),
    /** Bytes that a bit of the write-intent bitmap stands for, where it is made: `64MiB`, or `auto`; absent: no bitmap. */
    public val bitmap: String? = null,
) {
    init {
        require(name.isNotBlank()) { "arrays: a name is blank" }
        require(members.isNotEmpty()) { "arrays: $name has no members" }
        require(level == null || raidLevel != null) {
            "arrays: $name: there is no level $level; levels are " + RaidLevel.entries.joinToString()
        }
        require(chunk in 1..Int.MAX_VALUE) { "arrays: $name: a chunk has not $chunk bytes" }
        bitmapChunk
    }

    /** What [level] names. */
    internal val raidLevel: RaidLevel? get() = RaidLevel.entries.firstOrNull { it.toString() == level }

    /** What [bitmap] says, as [ArraySpec] takes it. */
    internal val bitmapChunk: Int?
        get() {
            if (bitmap == null) return null
            if (bitmap == AUTO) return ArraySpec.AUTO_BITMAP
            val bytes = try {
                ByteSize.parse(bitmap)
            } catch (e: IllegalArgumentException) {
                throw IllegalArgumentException("arrays: $name: bitmap: ${e.message}; write \"64MiB\" or \"auto\"", e)
            }
            require(bytes in SMALLEST..Int.MAX_VALUE && bytes.countOneBits() == 1) {
                "arrays: $name: bitmap: $bitmap is no power of two from 4KiB to 1GiB"
            }
            return bytes.toInt()
        }
}

private const val AUTO = "auto"
private const val SMALLEST = 4096L

/** How an array is exported: the NBD export's [name]. */
@Serializable
public data class ExportConfiguration(
    public val name: String,
    public val description: String = "",
    public val readOnly: Boolean = false,
)

/** Where the NBD server listens: TCP [host] and [port], or a Unix [socket]; beyond loopback only with [allowRemote]. */
@Serializable
public data class NbdConfiguration(
    public val host: String = "127.0.0.1",
    public val port: Int = 10809,
    public val socket: String? = null,
    public val allowRemote: Boolean = false,
) {
    init {
        require(port in 0..65535) { "nbd: the port $port is not within 0 to 65535" }
    }
}

/** Where the admin surface listens: loopback [host] and [port] (0 takes a free one). */
@Serializable
public data class HttpConfiguration(
    public val host: String = "127.0.0.1",
    public val port: Int = 8809,
) {
    init {
        require(port in 0..65535) { "http: the port $port is not within 0 to 65535" }
    }
}
