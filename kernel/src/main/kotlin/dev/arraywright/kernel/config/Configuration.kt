package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.builder.ConfigurationBuilder
import dev.arraywright.kernel.config.builder.change
import dev.arraywright.kernel.config.builder.configuration
import dev.arraywright.kernel.driver.isolate.SharedPackages
import dev.arraywright.kernel.parseAddress
import dev.arraywright.spi.device.StorageAddress
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import java.io.IOException
import java.nio.charset.CharacterCodingException
import java.nio.file.Files
import java.nio.file.Path
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
 *   "drivers": { "overlay": { "settings": { "block-size": "64KiB" }, "jar": "/opt/drivers/overlay.jar" } }
 * }
 * ```
 *
 * [schema] describes the file to editors. The same is said in Kotlin by [configuration], in Java by [builder].
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
    /** Where an editor finds [schema][Configuration.schema]; nothing else looks at it. */
    @SerialName(SCHEMA)
    public val schema: String? = null,
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

    /** All that is said here, to be changed from code; see also [change]. */
    public fun toBuilder(): ConfigurationBuilder = ConfigurationBuilder(this)

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

    /**
     * Looks at what reading alone does not find; [source] names the configuration in errors.
     *
     * @throws KernelError.BadConfiguration if an address is none
     */
    public fun check(source: String = "") {
        val addresses = arrays.flatMap { it.members + it.spares + it.domains.keys } + spares.map { it.address }
        try {
            addresses.forEach(::parseAddress)
        } catch (e: KernelError.InvalidRequest) {
            throw KernelError.BadConfiguration(
                "cannot use the configuration $source".trim(),
                "${e.what}: ${e.why}",
                e.remedy,
                e,
            )
        }
    }

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

        /** Starts a configuration in Java; in Kotlin there is [configuration]. */
        @JvmStatic
        public fun builder(): ConfigurationBuilder = Configuration().toBuilder()

        /** The JSON schema (draft 2020-12) of configuration files. */
        @JvmStatic
        public fun schema(): String {
            val found = checkNotNull(Configuration::class.java.getResourceAsStream("arraywright.schema.json"))
            return found.use { it.readBytes() }.decodeToString()
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

        /**
         * The device that a [text] of members and spares names; a bare path is a block device or a file, as what is
         * there.
         *
         * @throws KernelError.InvalidRequest if it names none
         */
        @JvmStatic
        public fun address(text: String): StorageAddress = parseAddress(text)

        /** Like [parse], of a file. */
        public fun load(file: Path): Configuration = parse(read(file), file.toString())

        /** The text of a configuration file, or of a pipe. */
        internal fun read(file: Path): String = try {
            Files.readString(file)
        } catch (e: IOException) {
            val why = when {
                !Files.exists(file) -> "there is no such file"
                e is CharacterCodingException -> "it is no text in UTF-8"
                else -> "it cannot be read"
            }
            throw KernelError.BadConfiguration("cannot use the configuration $file", why, "name a readable file", e)
        }

        private const val REMEDY = "correct the file; nothing was started or changed"

        private fun explain(e: SerializationException): String {
            val first = e.message.orEmpty().lineSequence().first()
            // What a section refuses comes with words of the library around it.
            e.cause?.message?.let { if (first.startsWith("Deserialization failed because of '$it'")) return it }
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
    public fun print(): String {
        val all = json.encodeToJsonElement(serializer(), this).jsonObject
        // Editors and readers look for it at the top.
        val first = all.filterKeys { it == SCHEMA }
        return json.encodeToString(JsonObject(first + all)) + "\n"
    }
}

private const val SCHEMA = "\$schema"
