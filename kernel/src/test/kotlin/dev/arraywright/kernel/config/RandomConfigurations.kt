package dev.arraywright.kernel.config

import dev.arraywright.raid.layout.RaidLevel
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Configurations of all kinds that are right: any key may be as by default or anything in its range. */
internal fun Random.configuration(): Configuration {
    val arrays = List(nextInt(3)) { array("a$it") }
    return Configuration(
        arrays = arrays,
        nbd = maybe { NbdConfiguration(word(), port(), maybe { word() }, nextBoolean()) } ?: NbdConfiguration(),
        http = maybe { HttpConfiguration(word(), port()) } ?: HttpConfiguration(),
        policy = maybe { policy() } ?: PolicyConfiguration(),
        spares = List(nextInt(3)) { SpareConfiguration("file:/shared$it", maybe { word() }) },
        memberDeadline = maybe { duration(least = 1.nanoseconds) },
        health = maybe { health() } ?: HealthConfiguration(),
        memory = MemoryConfiguration(maybe { size(least = 1) }, maybe { size() }),
        watch = nextBoolean(),
        drivers = List(nextInt(3)) { "driver.$it" }.associateWith { driver() },
        driverDirectory = maybe { "/d/" + word() },
        sharedPackages = listOf("org.slf4j.**", "com.sun.jna", "_x\$y").filter { nextBoolean() },
        maxLoadedDrivers = maybe { int(1) },
        schema = maybe { word() },
    )
}

private fun Random.driver(): DriverConfiguration {
    val jar = maybe { "/j/" + word() }
    return DriverConfiguration(words(), jar, jar?.let { maybe { "t" + word() } })
}

private fun Random.array(name: String): ArrayConfiguration {
    val addresses = List(nextInt(1, 6)) { "memory:${it + 1}MiB#$name" }
    return ArrayConfiguration(
        name = name,
        members = addresses,
        export = maybe { ExportConfiguration("exported $name", word(), nextBoolean()) },
        spares = List(nextInt(2)) { "file:/spare$it of $name" },
        domains = addresses.filter { nextBoolean() }.associateWith { word() },
        level = maybe { RaidLevel.entries.random(this).toString() },
        chunk = nextLong(1, Int.MAX_VALUE + 1L),
        bitmap = maybe { listOf("auto", "64MiB", "4KiB", "1GiB", "8192", "0.5m").random(this) },
    )
}

private fun Random.policy(): PolicyConfiguration {
    val floor = size(least = 1)
    return PolicyConfiguration(
        healthCheckInterval = duration(1.nanoseconds),
        rebuildPriority = nextInt(101),
        autoFailover = nextBoolean(),
        maxConcurrentRebuilds = int(1),
        throttleDelay = nextInt(1001).milliseconds,
        rebuildFloor = floor,
        rebuildCeiling = maybe { size(least = floor) },
        readErrorLimit = int(0),
        readErrorWindow = duration(1.nanoseconds),
        spareCheckInterval = duration(1.nanoseconds),
        scrubInterval = maybe { duration(1.nanoseconds) },
        retryDelay = duration(1.nanoseconds),
        latency = LatencyConfiguration(
            ratio = 1 + nextDouble(1e-9, 1e9),
            deviations = nextDouble(1e-9, 1e9),
            minimumSamples = int(1),
            floor = duration(),
            persistently = duration(),
        ),
    )
}

private fun Random.health(): HealthConfiguration {
    val warned = duration(1.seconds)
    val critical = nextInt(1, 201)
    val wornOut = nextInt(1, 256)
    return HealthConfiguration(
        period = maxOf(warned, duration(1.seconds)),
        warnedPeriod = warned,
        deadline = nextInt(1000, 300_001).milliseconds,
        temperatureWarning = nextInt(1, critical + 1),
        temperatureCritical = critical,
        temperatureHysteresis = nextInt(21),
        spareWarning = nextInt(101),
        wearWarning = nextInt(1, wornOut + 1),
        wornOut = wornOut,
        mediaErrorsPerDay = size(least = 1),
        ioErrorsPerDay = size(least = 1),
        reallocatedSectors = size(least = 1),
        pendingSectors = size(least = 1),
        uncorrectableSectors = size(least = 1),
        lifeWarning = duration(),
        latencyWarning = duration(1.nanoseconds),
    )
}

private fun <T> Random.maybe(value: () -> T): T? = if (nextBoolean()) value() else null

private fun Random.port() = nextInt(65536)

private fun Random.int(least: Int) = if (nextBoolean()) nextInt(least, 100) else nextInt(least, Int.MAX_VALUE)

private fun Random.size(least: Long = 0): Long = when (nextInt(4)) {
    0 -> least
    1 -> maxOf(least, nextLong(1, 1 shl 20) shl 20)
    2 -> Long.MAX_VALUE
    else -> if (least == Long.MAX_VALUE) least else nextLong(least, Long.MAX_VALUE)
}

private fun Random.duration(least: Duration = Duration.ZERO): Duration = when (nextInt(8)) {
    0 -> least
    1 -> Duration.INFINITE
    2 -> least + nextLong(Long.MAX_VALUE / 4).nanoseconds
    3 -> least + nextLong(Long.MAX_VALUE / 8).milliseconds
    4 -> least + nextInt(1000).days
    else -> least + nextInt(1_000_000).milliseconds
}

private fun Random.words() = List(nextInt(3)) { "key $it" }.associateWith { word() }

private fun Random.word(): String = List(nextInt(1, 6)) { "abcz09-/.:#\"\\ äß€'".random(this) }.joinToString("")
