package dev.arraywright.kernel.driver.isolate.leak

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.isolate.DriverLoader
import dev.arraywright.kernel.driver.isolate.LoadedDriver
import dev.arraywright.kernel.driver.isolate.SharedPackages
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.inspectors.forAtLeastOne
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineDispatcher
import java.lang.management.ManagementFactory
import java.lang.ref.WeakReference
import java.lang.reflect.Modifier
import java.nio.file.Path
import java.util.concurrent.Executors
import java.util.jar.JarEntry
import java.util.jar.JarFile
import java.util.logging.Level
import java.util.logging.Logger
import javax.management.ObjectName
import kotlin.io.path.Path
import kotlin.io.path.div
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.time.Duration.Companion.milliseconds

/** One driver for each way to stay in memory. Each is driven out in the end, so that none is found by the next spec. */
class LeakSpec : StringSpec({
    val folder = tempdir().toPath()
    val noHeap = LeakChecks(heapDumpUpTo = 0)
    val withHeap = LeakChecks(heapDumpUpTo = 8L shl 30)
    val impatient = LeakPatience(collections = 2, pause = 1.milliseconds)

    suspend fun load(checks: LeakChecks, body: String, vararg shared: String): LoadedDriver {
        val jna = jarOf(Class.forName("com.sun.jna.Native"))
        val jar = DriverJar().compileWith(jna).source("org.example.Leak", driverSource("org.example.Leak", body = body))
            .writeTo(folder / "leak.jar")
        return DriverLoader(SharedPackages(*shared), checks = checks).load(jar, "org.example.Leak")
    }

    suspend fun LeakWatch.leaks(): LeakReport = await(impatient).shouldBeInstanceOf<LeakOutcome.Leaked>().report

    infix fun LeakReport.names(holder: LeakHolder) = holders.forAtLeastOne { it shouldBe holder }

    fun LeakReport.names(kind: LeakKind, vararg words: String) = holders.forAtLeastOne { holder ->
        holder.kind shouldBe kind
        words.forEach { holder.what shouldContain it }
    }

    /** Loads, closes and reports, without a trace of the driver left on the stack. */
    suspend fun leak(checks: LeakChecks, body: String, vararg shared: String): Pair<LeakWatch, LeakReport> {
        val watch = load(checks, body, *shared).let { loaded ->
            loaded.close()
            loaded.watch
        }
        return watch to watch.leaks()
    }

    suspend fun Pair<LeakWatch, LeakReport>.goesAfter(remedy: () -> Unit) {
        remedy()
        first.await() shouldBe LeakOutcome.Collected
    }

    "a driver that leaves nothing behind is collected, whatever it used of the JDK" {
        val body = """
            public static class Words extends ListResourceBundle {
              protected Object[][] getContents() { return new Object[][] {{"a", new Leak(1)}}; }
            }
            record Note(String text) implements java.io.Serializable {}
            interface Talk { String talk(); }
            Leak(int i) {}
            public Leak() throws Exception {
              var own = getClass().getClassLoader();
              ResourceBundle.getBundle(Words.class.getName(), Locale.ROOT, own).getObject("a");
              new java.io.ObjectOutputStream(java.io.OutputStream.nullOutputStream()).writeObject(new Note("a"));
              var proxy = java.lang.reflect.Proxy.newProxyInstance(own, new Class<?>[] {Talk.class}, (p, m, a) -> m.getName());
              java.util.logging.Logger.getLogger("org.example").fine(((Talk) proxy).talk());
              System.getLogger("org.example").log(System.Logger.Level.DEBUG, new Note("b"));
              Thread.ofVirtual().start(() -> MINE.set(this)).join();
              var pool = java.util.concurrent.Executors.newFixedThreadPool(2);
              pool.submit(() -> MINE.set(this)).get();
              pool.close();
              java.util.List.of(1, 2).parallelStream().map(i -> new Note("" + i)).toList();
            }
            static final ThreadLocal<Object> MINE = new ThreadLocal<>();
        """.trimIndent()
        val loaded = load(withHeap, body)
        loaded.watch.collected shouldBe false
        loaded.close()
        shouldThrow<IllegalStateException> { loaded.driver }
        loaded.watch.await() shouldBe LeakOutcome.Collected
        loaded.watch.collected shouldBe true
        loaded.classes shouldBe 0
    }

    "a thread that runs on is named, with where it is" {
        val body = """
            public Leak() { new Thread(this::work, "leaking").start(); }
            void work() { try { Thread.sleep(1_000_000); } catch (InterruptedException e) { /* ends */ } }
        """.trimIndent()
        val leak = leak(noHeap, body)
        leak.second.names(LeakKind.THREAD, "'leaking'", "org.example.Leak.work(Leak.java:")
        leak.second.toString() shouldContain "thread: 'leaking' runs the driver's code, at"
        leak.second.unseen.any { "virtual threads" in it } shouldBe true
        leak.goesAfter { thread("leaking").interrupt() }
    }

    "a pool thread of the kernel that keeps the driver's context class loader is named" {
        val pool = Executors.newSingleThreadExecutor { Thread(it, "of the kernel") }
        System.getProperties()["spec.pool"] = pool
        val leak = leak(
            noHeap,
            """
                public Leak() throws Exception {
                  var pool = (java.util.concurrent.ExecutorService) System.getProperties().get("spec.pool");
                  var own = getClass().getClassLoader();
                  pool.submit(() -> Thread.currentThread().setContextClassLoader(own)).get();
                }
            """.trimIndent(),
        )
        leak.second names LeakHolder(LeakKind.CONTEXT_CLASS_LOADER, "of the thread 'of the kernel', which is of a pool")
        System.getProperties().remove("spec.pool")
        leak.goesAfter { pool.shutdown() }
    }

    "a ThreadLocal on a thread of the kernel is found in the heap" {
        val pool = Executors.newSingleThreadExecutor { Thread(it, "of the kernel") }
        // Else the thread would be born in the driver's constructor, and have its context class loader.
        pool.submit {}.get()
        val body = """
            static final ThreadLocal<Object> MINE = new ThreadLocal<>();
            public Leak() throws Exception {
              var pool = (java.util.concurrent.ExecutorService) System.getProperties().get("spec.pool");
              pool.submit(() -> MINE.set(this)).get();
            }
        """.trimIndent()
        System.getProperties()["spec.pool"] = pool
        val leak = leak(withHeap, body)
        leak.second.names(
            LeakKind.THREAD_LOCAL,
            "java.lang.Thread 'of the kernel'.threadLocals -> java.lang.ThreadLocal\$ThreadLocalMap.table -> ",
            "java.lang.ThreadLocal\$ThreadLocalMap\$Entry.value -> org.example.Leak.class",
        )
        leak.second.holders.none { "LeakWatch" in it.what } shouldBe true
        System.getProperties().remove("spec.pool")
        leak.goesAfter { pool.shutdown() }
    }

    "a shutdown hook is found in the heap" {
        val body = """
            public Leak() {
              var hook = new Thread(() -> new Leak(1));
              Runtime.getRuntime().addShutdownHook(hook);
              System.getProperties().put("spec.hook", new java.lang.ref.WeakReference<>(hook));
            }
            Leak(int i) {}
        """.trimIndent()
        val leak = leak(withHeap, body)
        leak.second.names(LeakKind.SHUTDOWN_HOOK, "java.lang.ApplicationShutdownHooks.static hooks -> ")
        leak.goesAfter {
            val hook = System.getProperties().remove("spec.hook") as WeakReference<*>
            Runtime.getRuntime().removeShutdownHook(hook.get() as Thread)
        }
    }

    "without a heap dump the report says where it could not look" {
        val body = "public Leak() { System.getProperties().put(\"spec.hidden\", new Object[] {this}); }"
        val leak = leak(noHeap, body)
        leak.second.holders shouldBe emptyList()
        leak.second.toString() shouldContain "and what holds it was not found"
        for (place in listOf("ThreadLocals", "shutdown hooks", "virtual threads", "the heap")) {
            leak.second.unseen.forAtLeastOne { it shouldContain place }
        }
        leak.goesAfter { System.getProperties().remove("spec.hidden") }
    }

    "a level of its own in java.util.logging is named" {
        val body = """
            static class Mine extends java.util.logging.Level { Mine() { super("MINE", 850); } }
            public Leak() { java.util.logging.Logger.getLogger("").setLevel(new Mine()); }
        """.trimIndent()
        val leak = leak(noHeap, body)
        leak.second names LeakHolder(LeakKind.LOGGING, "the level of the root logger is a org.example.Leak\$Mine")
        leak.goesAfter { Logger.getLogger("").level = Level.INFO }
    }

    "a timer that was not cancelled is named" {
        val body = """
            public Leak() {
              var timer = new java.util.Timer("ticking", true);
              System.getProperties().put("spec.timer", timer);
              timer.schedule(new java.util.TimerTask() { public void run() {} }, 1_000_000);
            }
        """.trimIndent()
        val leak = leak(noHeap, body)
        leak.second.names(LeakKind.TIMER, "'ticking'")
        leak.goesAfter { (System.getProperties().remove("spec.timer") as java.util.Timer).cancel() }
    }

    "a driver with a Kotlin of its own, whose coroutine dispatcher was left running, is told so" {
        val body = """
            public Leak() {
              kotlinx.coroutines.BuildersKt.launch(
                  kotlinx.coroutines.GlobalScope.INSTANCE, kotlinx.coroutines.Dispatchers.getDefault(),
                  kotlinx.coroutines.CoroutineStart.DEFAULT, (scope, next) -> kotlin.Unit.INSTANCE);
            }
            public static void drop() { kotlinx.coroutines.Dispatchers.INSTANCE.shutdown(); }
        """.trimIndent()
        val kotlin = listOf(Unit::class, CoroutineDispatcher::class).map { jarOf(it.java) }
        val jar = DriverJar().compileWith(*kotlin.toTypedArray())
            .source("org.example.Leak", driverSource("org.example.Leak", body = body))
        kotlin.forEach { jar.entry("lib/${it.name}", it.readBytes()) }
        val loaded = DriverLoader(checks = noHeap).load(jar.writeTo(folder / "leak.jar"), "org.example.Leak")
        // All of it, for the end of this spec: then no class can be loaded any more.
        kotlin.flatMap { JarFile(it.toFile()).use { jar -> jar.stream().map(JarEntry::getName).toList() } }
            .filter { it.endsWith(".class") && !it.startsWith("META-INF/") && it != "module-info.class" }
            .forEach {
                Class.forName(it.removeSuffix(".class").replace('/', '.'), false, loaded.driver.javaClass.classLoader)
            }
        val weak = WeakReference(loaded.driver.javaClass)
        loaded.close()
        loaded.watch.leaks().names(LeakKind.COROUTINE_DISPATCHER, "'DefaultDispatcher-worker-")
        // On a thread that ends: a Kotlin leaves a ThreadLocal behind.
        Thread { weak.get()?.getMethod("drop")?.invoke(null) }.apply { start() }.join()
        loaded.watch.await() shouldBe LeakOutcome.Collected
    }

    "a JMX bean, a handler and a system property that were left are named" {
        val body = """
            public interface BeanMBean {}
            public static class Bean implements BeanMBean {}
            public Leak() throws Exception {
              java.lang.management.ManagementFactory.getPlatformMBeanServer()
                  .registerMBean(new Bean(), new javax.management.ObjectName("org.example:type=Leak"));
              Thread.setDefaultUncaughtExceptionHandler((t, e) -> new Leak(1));
              System.getProperties().put("spec.property", this);
            }
            Leak(int i) {}
        """.trimIndent()
        val before = Thread.getDefaultUncaughtExceptionHandler()
        val leak = leak(noHeap, body)
        leak.second names LeakHolder(LeakKind.JMX, "org.example:type=Leak is registered")
        leak.second names LeakHolder(LeakKind.PROCESS_DEFAULT, "a system property, spec.property: a org.example.Leak")
        leak.second.names(LeakKind.PROCESS_DEFAULT, "Thread.getDefaultUncaughtExceptionHandler is a org.example.Leak")
        leak.goesAfter {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(ObjectName("org.example:type=Leak"))
            Thread.setDefaultUncaughtExceptionHandler(before)
            System.getProperties().remove("spec.property")
        }
    }

    "an SQL driver is suspected by its class, and found in the heap" {
        val body = """
            public static class Sql implements java.sql.Driver {
              public java.sql.Connection connect(String u, Properties p) { return null; }
              public boolean acceptsURL(String u) { return false; }
              public java.sql.DriverPropertyInfo[] getPropertyInfo(String u, Properties p) { return null; }
              public int getMajorVersion() { return 1; }
              public int getMinorVersion() { return 1; }
              public boolean jdbcCompliant() { return false; }
              public java.util.logging.Logger getParentLogger() { return null; }
            }
            static final Sql SQL = new Sql();
            public Leak() throws Exception { java.sql.DriverManager.registerDriver(SQL); }
            public static void drop() throws Exception { java.sql.DriverManager.deregisterDriver(SQL); }
        """.trimIndent()
        val loaded = load(withHeap, body)
        val weak = WeakReference(loaded.driver.javaClass)
        loaded.close()
        val report = loaded.watch.leaks()
        report.names(LeakKind.SQL_DRIVER, "org.example.Leak\$Sql is a java.sql.Driver")
        report.names(LeakKind.SQL_DRIVER, "java.sql.DriverManager.static registeredDrivers -> ")
        weak.get()?.getMethod("drop")?.invoke(null)
        loaded.watch.await() shouldBe LeakOutcome.Collected
    }

    "what JNA keeps is suspected, if JNA is shared, and found in the heap" {
        val body = """
            @com.sun.jna.Structure.FieldOrder("a")
            public static class Pair extends com.sun.jna.Structure { public int a; }
            public Leak() { new Pair().size(); }
        """.trimIndent()
        val isFirst = Thread.getAllStackTraces().keys.none { it.name == "JNA Cleaner" }
        val leak = leak(withHeap, body, "com.sun.jna.**")
        leak.second names
            LeakHolder(LeakKind.JNA, "com.sun.jna.Structure.layoutInfo has org.example.Leak\$Pair", certain = false)
        leak.second.names(LeakKind.JNA, "com.sun.jna.Structure.static fieldList -> java.util.WeakHashMap.table -> ")
        // Where JNA was not used before, its own thread was born in the driver's constructor, which is another trap.
        if (isFirst) leak.second names LeakHolder(LeakKind.CONTEXT_CLASS_LOADER, "of the thread 'JNA Cleaner'")
        leak.goesAfter {
            if (isFirst) thread("JNA Cleaner").contextClassLoader = null
            for (type in listOf("Structure", "Native").map { Class.forName("com.sun.jna.$it") }) {
                type.declaredFields.filter { Modifier.isStatic(it.modifiers) && it.trySetAccessible() }
                    .mapNotNull { it.get(null) as? MutableMap<*, *> }
                    .forEach { map -> map.keys.removeIf { it is Class<*> && it.name.startsWith("org.example.") } }
            }
        }
    }
})

private fun jarOf(type: Class<*>): Path = Path(type.protectionDomain.codeSource.location.path)

private fun thread(name: String): Thread = Thread.getAllStackTraces().keys.first { it.name == name }
