package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.SpareConfiguration
import java.lang.reflect.Method
import java.util.function.Consumer
import kotlin.random.Random
import kotlin.reflect.KMutableProperty1
import kotlin.reflect.full.memberProperties
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/** Sets what a section has with a builder's Kotlin properties and functions, or with what Java sees of it. */
internal class Filling(private val java: Boolean, private val random: Random) {
    fun fill(builder: Any, section: Any) {
        section::class.memberProperties.filter { it.name in keys(section) }.forEach { property ->
            set(builder, property.name, property.getter.call(section))
        }
    }

    private fun set(builder: Any, key: String, value: Any?) {
        when {
            value is List<*> && builder is ConfigurationBuilder && key == "arrays" ->
                value.forEach { section(builder, "array", it!!, (it as ArrayConfiguration).name) }
            value is List<*> && builder is ConfigurationBuilder && key == "spares" ->
                value.forEach { (it as SpareConfiguration).run { builder.spare(address, domain) } }
            value is Map<*, *> && key == "drivers" ->
                value.forEach { (name, driver) -> section(builder, "driver", driver as DriverConfiguration, name) }
            value is ExportConfiguration -> section(builder, "export", value, value.name)
            key == "export" -> (builder as ArrayBuilder).removeExport()
            value != null && value::class.simpleName.orEmpty().endsWith("Configuration") -> section(builder, key, value)
            java -> call(builder, key, value)
            else -> mutable(builder, key).setter.call(builder, value)
        }
    }

    private fun section(builder: Any, function: String, section: Any, vararg names: Any?) {
        val change: Any =
            if (java) Consumer<Any> { fill(it, section) } else { inner: Any -> fill(inner, section) }
        val last = if (java) Consumer::class.java else Function1::class.java
        val method = builder.javaClass.methods.single {
            it.name == function && it.parameterCount == names.size + 1 && it.parameterTypes.last() == last
        }
        method.invoke(builder, *names, change)
    }

    private fun call(builder: Any, key: String, value: Any?) {
        val all = builder.javaClass.methods.filter { it.name == key && it.parameterCount == 1 && !it.isSynthetic }
        val usable = all.mapNotNull { method -> argument(method, value)?.let { method to it } }
        val (method, argument) = usable.random(random)
        method.invoke(builder, argument[0])
    }

    /** What to call [method] with for [value], in an array, or null if it does not take such a value. */
    private fun argument(method: Method, value: Any?): Array<Any?>? {
        val type = method.parameterTypes.single()
        return when {
            value == null -> if (type.isPrimitive || type.isEnum) null else arrayOf(null)
            value is Duration -> arrayOf(value.toJavaDuration())
            value is List<*> -> arrayOf(value.map { it as String }.toTypedArray())
            type.isEnum -> null
            value is Long && type == String::class.java -> arrayOf(value.toString())
            else -> arrayOf(value)
        }
    }

    companion object {
        /** The names of the keys of the section, as its class has them. */
        fun keys(section: Any): Set<String> =
            section::class.constructors.maxBy { it.parameters.size }.parameters.mapNotNull { it.name }
                .toSet() - setOf("seen0", "serializationConstructorMarker")

        fun mutable(builder: Any, key: String): KMutableProperty1<*, *> =
            builder::class.memberProperties.single { it.name == key } as KMutableProperty1<*, *>

        /** [configuration] made anew from nothing. */
        fun copy(configuration: Configuration, java: Boolean, random: Random): Configuration =
            Configuration.builder().also { Filling(java, random).fill(it, configuration) }.build()
    }
}
