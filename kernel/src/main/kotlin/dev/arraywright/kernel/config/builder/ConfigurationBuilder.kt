package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import java.util.function.Consumer
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/**
 * A configuration in Kotlin, with the names that the file's keys have; [change] it to get another one from it.
 *
 * ```
 * val configuration = configuration {
 *     array("vault") {
 *         members("file:/var/lib/arraywright/m0.img", "file:/var/lib/arraywright/m1.img")
 *         export("vault") { readOnly = true }
 *     }
 *     nbd { port = 0 }
 *     policy {
 *         rebuildPriority = 7
 *         latency { floor = 50.milliseconds }
 *     }
 *     spare("file:/srv/spare.img", domain = "rack-1")
 *     driverDirectory = "/var/lib/arraywright/drivers"
 *     driver("overlay") { setting("block-size", "64KiB") }
 * }
 * ```
 *
 * @throws KernelError.BadConfiguration for what a file is refused for
 */
@JvmSynthetic
public fun configuration(change: ConfigurationBuilder.() -> Unit): Configuration = Configuration().change(change)

/** This configuration with what [change] says, as [configuration] does; the rest stays as it is. */
@JvmSynthetic
public fun Configuration.change(change: ConfigurationBuilder.() -> Unit): Configuration =
    toBuilder().apply(change).build()

/**
 * [Configuration], key by key, as it is written in the file: each has a Kotlin property and a function that Java calls,
 * each section is changed by a lambda, and null stands for absent. What the file has several of is named: `array`,
 * `spare` and `driver` change the one of that name, or add it.
 *
 * ```
 * Configuration configuration = Configuration.builder()
 *     .array("vault", array -> array.members("file:/srv/m0.img", "file:/srv/m1.img").export("vault"))
 *     .nbd(nbd -> nbd.port(0))
 *     .policy(policy -> policy.rebuildPriority(7).scrubInterval(Duration.ofDays(30)))
 *     .build();
 * ```
 *
 * Not thread-safe.
 */
@ConfigurationDsl
public class ConfigurationBuilder internal constructor(from: Configuration) {
    private val arrays = from.arrays.mapTo(ArrayList()) { ArrayBuilder(it) }
    private val nbd = NbdBuilder(from.nbd)
    private val http = HttpBuilder(from.http)
    private val policy = PolicyBuilder(from.policy)
    private val spares = from.spares.associateTo(LinkedHashMap()) { it.address to it.domain }
    private val health = HealthBuilder(from.health)
    private val memory = MemoryBuilder(from.memory)
    private val drivers = from.drivers.mapValuesTo(LinkedHashMap()) { DriverBuilder(it.value) }

    /** Changes the array called [name], or adds it. */
    @JvmSynthetic
    public fun array(name: String, change: ArrayBuilder.() -> Unit) {
        array(name).change()
    }

    public fun array(name: String, change: Consumer<ArrayBuilder>): ConfigurationBuilder =
        apply { change.accept(array(name)) }

    /** Takes an array out, if it is there. */
    public fun removeArray(name: String): ConfigurationBuilder = apply { arrays.removeAll { it.name == name } }

    private fun array(name: String): ArrayBuilder =
        arrays.firstOrNull { it.name == name } ?: ArrayBuilder(name).also(arrays::add)

    /** Changes the section `nbd`. */
    @JvmSynthetic
    public fun nbd(change: NbdBuilder.() -> Unit) {
        nbd.change()
    }

    public fun nbd(change: Consumer<NbdBuilder>): ConfigurationBuilder = apply { change.accept(nbd) }

    /** Changes the section `http`. */
    @JvmSynthetic
    public fun http(change: HttpBuilder.() -> Unit) {
        http.change()
    }

    public fun http(change: Consumer<HttpBuilder>): ConfigurationBuilder = apply { change.accept(http) }

    /** Changes the section `policy`. */
    @JvmSynthetic
    public fun policy(change: PolicyBuilder.() -> Unit) {
        policy.change()
    }

    public fun policy(change: Consumer<PolicyBuilder>): ConfigurationBuilder = apply { change.accept(policy) }

    /** Adds a spare for any array, or changes its domain. */
    @JvmOverloads
    public fun spare(address: String, domain: String? = null): ConfigurationBuilder = apply { spares[address] = domain }

    /** Takes a spare out, if it is there. */
    public fun removeSpare(address: String): ConfigurationBuilder = apply { spares.remove(address) }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var memberDeadline: Duration? = from.memberDeadline

    public fun memberDeadline(value: java.time.Duration?): ConfigurationBuilder = apply {
        memberDeadline = value?.toKotlinDuration()
    }

    /** Changes the section `health`. */
    @JvmSynthetic
    public fun health(change: HealthBuilder.() -> Unit) {
        health.change()
    }

    public fun health(change: Consumer<HealthBuilder>): ConfigurationBuilder = apply { change.accept(health) }

    /** Changes the section `memory`. */
    @JvmSynthetic
    public fun memory(change: MemoryBuilder.() -> Unit) {
        memory.change()
    }

    public fun memory(change: Consumer<MemoryBuilder>): ConfigurationBuilder = apply { change.accept(memory) }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var watch: Boolean = from.watch

    public fun watch(value: Boolean): ConfigurationBuilder = apply { watch = value }

    /** Changes what the driver called [name] gets. */
    @JvmSynthetic
    public fun driver(name: String, change: DriverBuilder.() -> Unit) {
        driver(name).change()
    }

    public fun driver(name: String, change: Consumer<DriverBuilder>): ConfigurationBuilder =
        apply { change.accept(driver(name)) }

    /** Takes a driver out, if it is there. */
    public fun removeDriver(name: String): ConfigurationBuilder = apply { drivers.remove(name) }

    private fun driver(name: String): DriverBuilder = drivers.getOrPut(name) { DriverBuilder(DriverConfiguration()) }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var driverDirectory: String? = from.driverDirectory

    public fun driverDirectory(value: String?): ConfigurationBuilder = apply { driverDirectory = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var sharedPackages: List<String> = from.sharedPackages

    public fun sharedPackages(vararg values: String): ConfigurationBuilder = apply { sharedPackages = values.toList() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var maxLoadedDrivers: Int? = from.maxLoadedDrivers

    public fun maxLoadedDrivers(value: Int?): ConfigurationBuilder = apply { maxLoadedDrivers = value }

    /** The key `$schema`. */
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var schema: String? = from.schema

    public fun schema(value: String?): ConfigurationBuilder = apply { schema = value }

    /**
     * The configuration.
     *
     * @throws KernelError.BadConfiguration for what a file is refused for
     */
    @Throws(KernelError.BadConfiguration::class)
    public fun build(): Configuration = try {
        Configuration(
            arrays.map { it.build() },
            nbd.build(),
            http.build(),
            policy.build(),
            spares.map { (address, domain) -> SpareConfiguration(address, domain) },
            memberDeadline,
            health.build(),
            memory.build(),
            watch,
            drivers.mapValues { it.value.build() },
            driverDirectory,
            sharedPackages.toList(),
            maxLoadedDrivers,
            schema,
        )
    } catch (e: IllegalArgumentException) {
        throw KernelError.BadConfiguration(
            "cannot use the configuration made in code",
            e.message.orEmpty(),
            "correct the value; nothing was started or changed",
            e,
        )
    }
}
