package dev.arraywright.kernel.driver.isolate.leak

import java.security.SecureClassLoader
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong

/** A class loader that can be told from others in a heap dump, by its [serial], and in stack traces, by its name. */
internal abstract class WatchedLoader(name: String, parent: ClassLoader) : SecureClassLoader(name, parent) {
    val serial: Long = SERIALS.incrementAndGet()
    private val types = ConcurrentLinkedQueue<Class<*>>()
    private val count = AtomicInteger()
    private val bytes = AtomicLong()

    val definedCount: Int get() = count.get()
    val definedBytes: Long get() = bytes.get()

    /** The classes that were loaded so far. */
    val defined: Iterable<Class<*>> get() = types

    protected fun defined(type: Class<*>, size: Int) {
        types += type
        count.incrementAndGet()
        bytes.addAndGet(size.toLong())
    }

    /** Whether [thing] is of this loader or of one that the driver made; runs no code of the driver. */
    fun owns(thing: Any?): Boolean = when (thing) {
        null -> false
        is ClassLoader -> generateSequence(thing) { it.parent }.any { it === this } || owns(thing.javaClass.classLoader)
        is Class<*> -> owns(thing.classLoader)
        else -> owns(thing.javaClass.classLoader)
    }

    private companion object {
        val SERIALS = AtomicLong()

        init {
            registerAsParallelCapable()
        }
    }
}
