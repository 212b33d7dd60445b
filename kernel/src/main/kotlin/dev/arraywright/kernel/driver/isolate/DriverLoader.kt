package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.isolate.LoadedDriver.Companion.forget
import dev.arraywright.kernel.driver.isolate.leak.LeakChecks
import dev.arraywright.kernel.driver.isolate.leak.LeakWatch
import dev.arraywright.spi.driver.Driver
import java.lang.reflect.Modifier
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong
import kotlin.io.path.name
import kotlin.io.path.nameWithoutExtension

/**
 * Loads drivers, each apart from the kernel and from each other. Thread-safe; loading one waits for no other.
 *
 * @param shared what drivers see of the application besides the JDK and the SPI
 * @param checks who is asked what holds a driver that does not go
 */
public class DriverLoader(
    shared: SharedPackages = SharedPackages(),
    private val limits: LoaderLimits = LoaderLimits(),
    private val checks: LeakChecks = LeakChecks(),
) {
    private val gate = ApplicationGate(shared)
    private val loads = AtomicLong()
    private val givenUp = ConcurrentLinkedQueue<LeakWatch>()

    /** Loads that were given up and are in memory still, each with the thread that hangs. */
    public val stranded: List<LeakWatch>
        get() {
            givenUp.removeIf { it.collected }
            return givenUp.toList()
        }

    /**
     * Reads [jar], loads the class [entryType] from it and constructs the driver. Code of the driver runs on a thread
     * of its own, and past the deadline it is given up: see [stranded].
     *
     * @throws KernelError.DriverUnusable if that fails; nothing of the driver is kept then
     */
    public suspend fun load(jar: Path, entryType: String): LoadedDriver {
        val what = "cannot load the driver ${jar.name}"
        if (stranded.size >= limits.stranded) {
            val why = "${limits.stranded} drivers hang while they are loaded, and their threads cannot be ended"
            throw KernelError.DriverUnusable(what, why, "remove them and restart the kernel")
        }
        val archives = open(jar, what)
        val natives = NativeCopies(archives, limits.scratch)
        val loader =
            DriverClassLoader("${jar.nameWithoutExtension}#${loads.incrementAndGet()}", gate, archives, natives)
        var loaded: LoadedDriver? = null
        try {
            val notes = archives.notes(gate.shared)
            val driver = construct(loader, entryType, what, notes)
            return LoadedDriver(jar, notes, LeakWatch(loader, checks), driver, loader).also { loaded = it }
        } finally {
            if (loaded == null) loader.forget()
        }
    }

    private suspend fun open(jar: Path, what: String): DriverArchives {
        val unused = { late: DriverArchives -> late.close() }
        val opened = DriverCall.apart("read ${jar.name}", null, limits.deadline, unused) {
            DriverArchives.open(jar, limits)
        }
        return when (opened) {
            is CallOutcome.Returned -> opened.value
            is CallOutcome.Failed -> throw KernelError.DriverUnusable(
                what,
                opened.failure.message,
                "check the file and its libraries",
                opened.failure.stack,
            )
            is CallOutcome.Late -> throw KernelError.DriverUnusable(
                what,
                "it could not be read within ${limits.deadline}",
                "check the disk or network that it is on",
                opened.stack,
            )
        }
    }

    private suspend fun construct(
        loader: DriverClassLoader,
        entryType: String,
        what: String,
        notes: List<String>,
    ): Driver {
        // Not even a driver that comes too late keeps what it has opened, if it closes.
        val unused = { late: Driver -> runCatching { late.close() }.let { } }
        val constructed = DriverCall.apart("load ${loader.name}", loader, limits.deadline, unused) {
            instantiate(loader, entryType)
        }
        return when (constructed) {
            is CallOutcome.Returned -> constructed.value
            is CallOutcome.Failed -> throw refusal(what, constructed.failure, notes)
            is CallOutcome.Late -> {
                givenUp += LeakWatch(loader, checks)
                throw KernelError.DriverUnusable(
                    what,
                    "its constructor or a static initialiser hangs: no end within ${limits.deadline}",
                    "have the driver do nothing that waits before its initialize()",
                    constructed.stack,
                )
            }
        }
    }

    private fun instantiate(loader: DriverClassLoader, entryType: String): Driver {
        val type = Class.forName(entryType, true, loader)
        require(Driver::class.java.isAssignableFrom(type)) { "$entryType is no ${Driver::class.java.name}" }
        require(type.classLoader === loader) { "$entryType is not of this jar" }
        require(Modifier.isPublic(type.modifiers)) { "$entryType is not public" }
        require(!Modifier.isAbstract(type.modifiers)) { "$entryType is abstract" }
        val constructor = type.constructors.firstOrNull { it.parameterCount == 0 }
        requireNotNull(constructor) { "$entryType has no public constructor without parameters" }
        return constructor.newInstance() as Driver
    }

    private fun refusal(what: String, failure: FailureText, notes: List<String>): KernelError {
        val linkage = failure.type in LINKAGE
        val why = listOf(failure.message) + if (linkage) notes else emptyList()
        val remedy = when {
            failure.remedy.isNotEmpty() -> failure.remedy
            failure.type in MISSING ->
                "put the library that has it into lib/ of the jar, or share its package: " +
                    "drivers see the JDK and ${gate.shared}"
            failure.type == UnsatisfiedLinkError::class.java.name ->
                "put ${System.mapLibraryName(
                    "…",
                )} into ${NativeCopies.PLACE} of the jar, or where java.library.path leads"
            failure.type == UnsupportedClassVersionError::class.java.name ->
                "compile the driver for Java ${Runtime.version().feature()} or older, or run a newer one"
            linkage -> "compile the driver against the ${SharedPackages.SPI} of this kernel"
            else -> "see the details, and ask the driver's author"
        }
        return KernelError.DriverUnusable(what, why.joinToString("; "), remedy, failure.stack)
    }

    private companion object {
        val MISSING = setOf(NoClassDefFoundError::class.java.name, ClassNotFoundException::class.java.name)
        val LINKAGE = MISSING + listOf(
            LinkageError::class.java.name,
            NoSuchMethodError::class.java.name,
            NoSuchFieldError::class.java.name,
            AbstractMethodError::class.java.name,
            IncompatibleClassChangeError::class.java.name,
            VerifyError::class.java.name,
        )
    }
}
