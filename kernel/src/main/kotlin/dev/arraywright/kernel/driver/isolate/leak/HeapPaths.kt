package dev.arraywright.kernel.driver.isolate.leak

import com.sun.management.HotSpotDiagnosticMXBean
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.io.path.div

/**
 * Shortest strong paths from roots of the heap to a [WatchedLoader], searched backwards through a dump: each pass over
 * the file finds what refers to what the pass before found. So it takes little memory of the heap that it looks at.
 */
internal class HeapPaths private constructor(dump: Path) {
    private class Edge(val to: Long, val holder: Long, val label: String)

    private val file = HprofFile(dump)
    private val texts = HashMap<Long, String>()
    private val names = HashMap<Long, String>()
    private val types = HashMap<Long, HprofFile.Type>()
    private val roots = HashMap<Long, Int>()
    private val layouts = HashMap<Long, List<Reference>>()
    private val edges = HashMap<Long, Edge>()

    /** A field of an instance: where among its values, and whose it is. */
    private class Reference(val offset: Int, val label: String)

    /** The step that each of the paths has taken from its holder, from and to: the next path has another. */
    private val taken = HashSet<Pair<Long, Long>>()

    private fun find(serial: Long): List<LeakHolder> {
        readTypes()
        val target = loader(serial) ?: return emptyList()
        return generateSequence { path(target) }.take(PATHS).distinct().toList()
    }

    private fun path(target: Long): LeakHolder? {
        edges.clear()
        edges[target] = Edge(0, 0, "")
        var frontier = setOf(target)
        repeat(DEPTH) {
            val root = frontier.firstOrNull { it in roots }
            if (root != null) return explain(root)
            frontier = holdersOf(frontier)
            if (frontier.isEmpty() || edges.size > WIDTH) return null
        }
        return null
    }

    private fun readTypes() {
        file.read(object : HprofFile.Sink {
            override fun text(id: Long, text: String) {
                texts[id] = text
            }

            override fun className(type: Long, text: Long) {
                names[type] = texts[text].orEmpty().replace('/', '.')
            }

            override fun type(type: HprofFile.Type) {
                types[type.id] = type
            }

            override fun root(id: Long, kind: Int, thread: Int) {
                roots.merge(id, kind) { a, b -> if (a == HprofFile.THREAD_OBJECT) a else b }
            }
        })
    }

    private fun loader(serial: Long): Long? {
        var found: Long? = null
        val offsets = HashMap<Long, Int>()
        file.read(object : HprofFile.Sink {
            override fun instance(id: Long, type: Long, values: ByteBuffer) {
                val at = offsets.getOrPut(type) { offset(type, WatchedLoader::class.java.name, "serial") }
                if (at >= 0 && values.getLong(at) == serial) found = id
            }
        })
        return found
    }

    private fun holdersOf(frontier: Set<Long>): Set<Long> {
        val next = HashSet<Long>()

        fun found(holder: Long, type: Long, to: Long, label: String) {
            if (holder to to !in taken && edges.putIfAbsent(holder, Edge(to, type, label)) == null) next += holder
        }
        types.values.forEach { type ->
            type.links.filter { it.to in frontier }.forEach { link ->
                found(type.id, type.id, link.to, link.title.ifEmpty { STATIC + texts[link.text] })
            }
        }
        file.read(object : HprofFile.Sink {
            override fun instance(id: Long, type: Long, values: ByteBuffer) {
                if (type in frontier) found(id, type, type, "class")
                references(type).forEach {
                    val to = file.id(values, it.offset)
                    if (to in frontier) found(id, type, to, it.label)
                }
            }

            override fun array(id: Long, type: Long, elements: ByteBuffer) {
                for (at in 0 until elements.limit() step file.referenceSize) {
                    val to = file.id(elements, at)
                    if (to in frontier) found(id, type, to, "[${at / file.referenceSize}]")
                }
            }
        })
        return next
    }

    /** Its references as its layout has them, without those that do not keep anything alive. */
    private fun references(type: Long): List<Reference> = layouts.getOrPut(type) {
        val found = mutableListOf<Reference>()
        var offset = 0
        ancestry(type).forEach { ancestor ->
            val weak = names[ancestor.id] == "java.lang.ref.Reference"
            ancestor.fields.forEach {
                if (it.reference && !weak) found += Reference(offset, texts[it.text].orEmpty())
                offset += it.size
            }
        }
        found
    }

    private fun offset(type: Long, owner: String, field: String): Int {
        var offset = 0
        ancestry(type).forEach { ancestor ->
            ancestor.fields.forEach {
                if (names[ancestor.id] == owner && texts[it.text] == field) return offset
                offset += it.size
            }
        }
        return -1
    }

    private fun ancestry(type: Long) = generateSequence(types[type]) { types[it.parent] }

    private fun explain(root: Long): LeakHolder {
        val steps = generateSequence(root) { edges.getValue(it).to }.takeWhile { edges.getValue(it).to != 0L }.toList()
        // A static field holds for good; how its class is held is of no interest.
        val first = steps.indexOfLast { edges.getValue(it).label.startsWith(STATIC) }.coerceAtLeast(0)
        val holding = steps.drop(first)
        holding.firstOrNull()?.let { taken += it to edges.getValue(it).to }
        val path = holding.map { step ->
            val edge = edges.getValue(step)
            val name = names[edge.holder] ?: "an object"
            (
                if (step == root)
                    rootName(
                        root,
                        name,
                    )
                else
                    name
            ) + (if (edge.label.startsWith("[")) "" else ".") + edge.label
        }
        return LeakHolder(
            kindOf(path),
            path.joinToString(" -> ").ifEmpty {
                "a frame or JNI reference to the loader itself"
            },
        )
    }

    private fun rootName(root: Long, name: String): String {
        if (roots[root] != HprofFile.THREAD_OBJECT) return name
        var number = -1L
        file.read(object : HprofFile.Sink {
            override fun instance(id: Long, type: Long, values: ByteBuffer) {
                if (id == root) offset(type, "java.lang.Thread", "tid").let { if (it >= 0) number = values.getLong(it) }
            }
        })
        val thread = Thread.getAllStackTraces().keys.firstOrNull { it.threadId() == number }
        return if (thread == null) name else "$name '${thread.name}'"
    }

    private fun kindOf(path: List<String>): LeakKind {
        val kind = KINDS.firstOrNull { (part, _) -> path.any { it.startsWith(part) } }?.second
        return when {
            kind != null -> kind
            path.size == 1 && path[0].endsWith(".contextClassLoader") -> LeakKind.CONTEXT_CLASS_LOADER
            path.any { it.startsWith("java.lang.Thread") } -> LeakKind.THREAD
            else -> LeakKind.OTHER
        }
    }

    companion object {
        private const val DEPTH = 40
        private const val STATIC = "static "
        private const val PATHS = 4
        private const val WIDTH = 2_000_000
        private val KINDS = listOf(
            "java.lang.ThreadLocal\$" to LeakKind.THREAD_LOCAL,
            "java.lang.ApplicationShutdownHooks" to LeakKind.SHUTDOWN_HOOK,
            "com.sun.jna." to LeakKind.JNA,
            "java.util.logging." to LeakKind.LOGGING,
            "java.sql.DriverManager" to LeakKind.SQL_DRIVER,
            "com.sun.jmx." to LeakKind.JMX,
            "java.util.Timer" to LeakKind.TIMER,
            "kotlinx.coroutines." to LeakKind.COROUTINE_DISPATCHER,
            "java.net.URL" to LeakKind.PROCESS_DEFAULT,
        )

        /** Dumps what is alive; empty if no strong path leads to that loader. */
        @OptIn(ExperimentalPathApi::class)
        fun toLoader(serial: Long, diagnostics: HotSpotDiagnosticMXBean): List<LeakHolder> {
            val directory = Files.createTempDirectory("arraywright-heap-")
            try {
                val dump = directory / "heap.hprof"
                diagnostics.dumpHeap(dump.toString(), true)
                return HeapPaths(dump).find(serial)
            } finally {
                directory.deleteRecursively()
            }
        }
    }
}
