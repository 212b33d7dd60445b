package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DeclaredSetting
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.shown
import dev.arraywright.spi.driver.DriverSetting
import dev.arraywright.spi.driver.StorageDriver
import java.lang.classfile.Annotation
import java.lang.classfile.AnnotationValue
import java.lang.classfile.Attributes
import java.lang.classfile.ClassModel

/** What a class file's `@StorageDriver` says. */
internal object AnnotationReader {
    /** As a class file names the annotation's type. */
    val DESCRIPTOR: String = StorageDriver::class.java.descriptorString()

    fun isAnnotated(model: ClassModel): Boolean = annotation(model) != null

    /** @throws IllegalArgumentException if it makes no sense, in words for an operator */
    fun read(type: ScannedClass): DriverInfo = with(type.look { Elements.of(checkNotNull(annotation(it)), TYPE) }) {
        DriverInfo(
            text("name"),
            text("description"),
            within("version") { DriverVersion.parse(text("version")) },
            texts("supportedDevices"),
            within("minimumPlatform") { DriverVersion.parse(text("minimumPlatform")) },
            flag("autoLoad"),
            type.name,
            texts("requires").map { within("requires") { DriverRequirement.parse(it) } },
            nested("settings", DriverSetting::class.java).map(::setting),
            flag("opensBeside"),
        )
    }

    private fun setting(elements: Elements) = with(elements) {
        val type = constant("type")
        DeclaredSetting(
            text("name"),
            text("description"),
            requireNotNull(DriverSetting.Type.entries.find { it.name == type }) {
                "setting ${shown(text("name"))} is of an unknown type: ${shown(type)}"
            },
            text("defaultValue").ifEmpty { null },
            flag("required"),
            texts("choices"),
        )
    }

    private fun annotation(model: ClassModel): Annotation? =
        model.findAttribute(Attributes.runtimeVisibleAnnotations()).orElse(null)
            ?.annotations()?.find { it.className().equalsString(DESCRIPTOR) }

    private fun <T> within(element: String, parse: () -> T): T = try {
        parse()
    } catch (e: IllegalArgumentException) {
        throw IllegalArgumentException("$element: ${e.message}", e)
    }

    private val TYPE = StorageDriver::class.java
}

/**
 * The elements of an annotation, all read at once: [String], [Boolean], [Constant], [Elements], or a list of them. A
 * class file has those alone that its source gave; the others have the default of this `spi`'s [type].
 */
private class Elements(private val values: Map<String, Any>, private val type: Class<out kotlin.Annotation>) {
    fun text(name: String): String = value(name, "text")

    fun flag(name: String): Boolean = value(name, "true or false")

    fun constant(name: String): String = value<Constant>(name, "a constant").name

    fun texts(name: String): List<String> = all(name, "text")

    fun nested(name: String, type: Class<out kotlin.Annotation>): List<Elements> =
        all<Elements>(name, "annotations").map { Elements(it.values, type) }

    private inline fun <reified T> value(name: String, what: String): T =
        given(name) as? T ?: throw mismatch(name, what)

    private inline fun <reified T> all(name: String, what: String): List<T> =
        (given(name) as? List<*>)?.map { it as? T ?: throw mismatch(name, what) } ?: throw mismatch(name, what)

    private fun given(name: String): Any = values[name] ?: default(name)

    private fun default(name: String): Any = when (val default = type.getMethod(name).defaultValue) {
        null -> throw IllegalArgumentException("@${type.simpleName} has no '$name'")
        is Array<*> -> default.asList()
        is Enum<*> -> Constant(default.name)
        else -> default
    }

    private fun mismatch(name: String, what: String) =
        IllegalArgumentException("'$name' of @${type.simpleName} is not $what: it was compiled against another spi")

    class Constant(val name: String)

    companion object {
        fun of(annotation: Annotation, type: Class<out kotlin.Annotation>): Elements =
            Elements(annotation.elements().associate { it.name().stringValue() to read(it.value()) }, type)

        private fun read(value: AnnotationValue): Any = when (value) {
            is AnnotationValue.OfString -> value.stringValue()
            is AnnotationValue.OfBoolean -> value.booleanValue()
            is AnnotationValue.OfEnum -> Constant(value.constantName().stringValue())
            is AnnotationValue.OfArray -> value.values().map(::read)
            is AnnotationValue.OfAnnotation -> of(value.annotation(), kotlin.Annotation::class.java)
            else -> Unit
        }
    }
}
