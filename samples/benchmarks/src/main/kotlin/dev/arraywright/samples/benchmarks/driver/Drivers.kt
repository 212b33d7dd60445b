package dev.arraywright.samples.benchmarks.driver

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.samples.benchmarks.KeyValues
import dev.arraywright.samples.benchmarks.Series
import dev.arraywright.samples.benchmarks.form
import dev.arraywright.samples.benchmarks.machine.FreshJvm
import dev.arraywright.samples.benchmarks.printTable
import dev.arraywright.spi.driver.Driver
import java.net.URLClassLoader
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteRecursively
import kotlin.io.path.div
import kotlin.io.path.fileSize

/** What it takes to find drivers in a large jar, to load one and a hundred, and to replace one under load. */
internal class Drivers(options: KeyValues) {
    private val classes = options.int("classes", 26_000)
    private val drivers = options.int("drivers", 100)
    private val rounds = options.int("rounds", 5)
    private val loads = options.int("loads", 20)
    private val upgrades = options.int("upgrades", 10)
    private val queue = options.int("queue", 4)
    private val directory = Path.of(options.text("dir", System.getProperty("java.io.tmpdir")))
    private val series = LinkedHashMap<String, Series>()

    init {
        require(minOf(classes, drivers, rounds, loads) > 0 && upgrades > 0 && queue > 0) { "figures are above 0" }
        require(maxOf(loads, drivers) <= 100) { "a kernel loads 100 drivers at most" }
    }

    @OptIn(ExperimentalPathApi::class)
    suspend fun run() {
        println("drivers: scans and sets of $drivers in $rounds rounds, $loads loads, $upgrades upgrades, queue=$queue")
        val root = Files.createTempDirectory(directory, "drivers")
        try {
            val jars = BenchDriver(root)
            scans(jars)
            loads(List(loads) { jars.jar("one$it") })
            many(List(drivers) { jars.jar("many$it") })
            Upgrades(queue, upgrades, (root / "keep").createDirectory(), ::put).run { jars.jar("bench", "1.$it.0") }
        } finally {
            root.deleteRecursively()
        }
        show()
    }

    private fun scans(jars: BenchDriver) {
        val jar = jars.jar("large", padding = classes)
        println("a jar of $classes classes and a driver: ${jar.fileSize() shr 20} MiB")
        // the first rounds are for the page cache, and for the compiler
        for (round in -2 until rounds) {
            val took = JarScan.scan(jar) to JarScan.inflate(jar)
            if (round >= 0) pair("scan", took)
        }
        repeat(rounds) {
            pair("fresh", FreshJvm("scan", listOf(jar)).nanoseconds() to FreshJvm("inflate", listOf(jar)).nanoseconds())
        }
    }

    private fun FreshJvm.nanoseconds() = found().getValue("ns").toLong()

    /** They stay loaded, so that no collection of garbage that an unloading asks for comes between. */
    private suspend fun loads(jars: List<Path>) = kernel { kernel ->
        for ((round, jar) in jars.withIndex()) {
            val plain = plainly(jar)
            val took = JarScan.timed {
                check(kernel.drivers.load(jar).state.value == DriverState.Running) { "$jar does not run" }
            }
            if (round == 0) put("first", took) else pair("load", took to plain)
        }
    }

    private suspend fun many(jars: List<Path>) = repeat(rounds) {
        val plain = JarScan.timed { jars.forEach(::plainly) }
        kernel { kernel ->
            put("single", JarScan.timed { for (jar in jars) kernel.drivers.load(jar) })
        }
        kernel { kernel ->
            val took = JarScan.timed {
                val report = kernel.drivers.loadAll(jars)
                check(report.loaded.size == jars.size) { "not loaded: ${report.failures}" }
            }
            pair("all", took to plain)
        }
    }

    private fun plainly(jar: Path) = JarScan.timed {
        URLClassLoader(arrayOf(jar.toUri().toURL()), javaClass.classLoader).use { loader ->
            (loader.loadClass(BenchDriver.TYPE).getConstructor().newInstance() as Driver).close()
        }
    }

    private suspend fun kernel(block: suspend (ArraywrightKernel) -> Unit) {
        val kernel = ArraywrightKernel.start(KernelOptions(watch = false))
        try {
            block(kernel)
        } finally {
            kernel.shutdown()
        }
    }

    private fun pair(name: String, took: Pair<Long, Long>) {
        put(name, took.first)
        put("$name.plain", took.second)
        series.getOrPut("$name.ratio", ::Series) += took.first.toDouble() / took.second
    }

    private fun put(name: String, nanoseconds: Long) {
        series.getOrPut(name, ::Series) += nanoseconds.toDouble()
    }

    private fun show() {
        println("each: the rounds' median [least most]; milliseconds")
        printTable(
            listOf(
                listOf("", "wall", "anchor", "to anchor", "target"),
                row("scan of $classes classes, warm", "scan", "1500 at most"),
                row("scan of $classes classes, new JVM", "fresh", "1500 at most"),
                row("load of a driver until it runs", "load", "150 at most"),
                row("the first load, scans done before", "first", "150 at most"),
                row("$drivers drivers, one after the other", "single", "5000 at most"),
                row("$drivers drivers, loadAll", "all", "5000 at most"),
                row("longest pause of an upgrade", "pause", "50 at most"),
                row("all of an upgrade", "upgrade", ""),
                row("longest write beside an upgrade", "write", ""),
            ),
        )
        println("upgrades: %.0f ms is the longest pause of all".form(series.getValue("pause").most / 1e6))
    }

    private fun row(title: String, name: String, target: String): List<String> {
        fun one(name: String, unit: Double, digits: Int) = series[name]?.show(digits, unit) ?: ""
        return listOf(title, one(name, 1e6, 1), one("$name.plain", 1e6, 1), one("$name.ratio", 1.0, 2), target)
    }
}
