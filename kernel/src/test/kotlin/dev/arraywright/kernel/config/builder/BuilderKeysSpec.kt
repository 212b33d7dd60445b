package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.Configuration
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.descriptors.SerialDescriptor
import kotlinx.serialization.descriptors.StructureKind
import kotlinx.serialization.descriptors.elementDescriptors
import kotlinx.serialization.descriptors.elementNames
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.util.function.Consumer
import kotlin.reflect.KMutableProperty1
import kotlin.reflect.full.memberFunctions
import kotlin.reflect.full.memberProperties
import kotlin.reflect.jvm.javaGetter
import kotlin.reflect.jvm.javaSetter

/** By the serial descriptors: a key without a name in Kotlin and in Java fails here, and a name without a key. */
@OptIn(ExperimentalSerializationApi::class)
class BuilderKeysSpec : StringSpec({
    /** What a descriptor describes in the end, of a list or a map what it has several of. */
    fun SerialDescriptor.single(): SerialDescriptor = when (kind) {
        StructureKind.LIST -> getElementDescriptor(0).single()
        StructureKind.MAP -> getElementDescriptor(1).single()
        else -> this
    }

    fun SerialDescriptor.sections(): Set<SerialDescriptor> =
        elementDescriptors.map { it.single() }.filter { it.kind == StructureKind.CLASS }
            .flatMapTo(LinkedHashSet()) { it.sections() + it }

    fun SerialDescriptor.typeName() = serialName.removeSuffix("?").substringAfterLast('.')

    fun SerialDescriptor.name() = typeName().removeSuffix("Configuration").ifEmpty { "Configuration" }

    fun SerialDescriptor.builder(): Class<*> =
        Class.forName("dev.arraywright.kernel.config.builder.${name()}Builder")

    val root = Configuration.serializer().descriptor
    val spare = root.sections().single { it.typeName() == "SpareConfiguration" }
    val sections = root.sections() + root - spare

    fun Class<*>.java(name: String): List<Method> = declaredMethods.filter {
        it.name == name && Modifier.isPublic(it.modifiers) && !it.isSynthetic
    }

    /** Whether [name] takes a section's change, in Kotlin a lambda that Java does not see, in Java a consumer. */
    fun shouldTakeChange(builder: Class<*>, name: String) {
        val kotlin = builder.declaredMethods.filter {
            it.name == name && it.parameterTypes.last() == Function1::class.java
        }
        withClue("in Kotlin") { kotlin.map { it.isSynthetic } shouldBe listOf(true) }
        withClue("in Java") {
            builder.java(name).filter { it.parameterTypes.last() == Consumer::class.java }
                .map { it.returnType } shouldBe listOf(builder)
        }
    }

    fun shouldBeSettable(builder: Class<*>, name: String) {
        val property = builder.kotlin.memberProperties.singleOrNull { it.name == name }
        withClue("in Kotlin") {
            property.shouldBeInstanceOf<KMutableProperty1<*, *>>()
            property.javaGetter!!.isSynthetic.shouldBeTrue()
            property.javaSetter!!.isSynthetic.shouldBeTrue()
        }
        withClue("in Java") {
            builder.java(name).filter { it.parameterCount == 1 && it.returnType == builder }.shouldNotBeEmpty()
        }
    }

    for (section in sections) {
        for ((index, key) in section.elementNames.withIndex()) {
            "${section.name()}: $key has its names" {
                val builder = section.builder()
                val element = section.getElementDescriptor(index)
                val several = element.kind == StructureKind.LIST || element.kind == StructureKind.MAP
                when {
                    element.single() == spare ->
                        builder.kotlin.memberFunctions.single { it.name == key.singular() }.parameters.drop(1)
                            .map { it.name } shouldBe spare.elementNames.toList()
                    several && element.single().kind == StructureKind.CLASS -> shouldTakeChange(builder, key.singular())
                    element.kind == StructureKind.CLASS -> shouldTakeChange(builder, key)
                    else -> shouldBeSettable(builder, key.removePrefix("$"))
                }
                if (element.kind == StructureKind.MAP) builder.java(key.singular()).shouldNotBeEmpty()
            }
        }

        "${section.name()}: no name without a key" {
            val builder = section.builder()
            val keys = section.elementNames.map { it.removePrefix("$") }
            val known = keys + keys.map { it.singular() }
            val removing = known.map { "remove" + it.replaceFirstChar(Char::uppercase) }
            val java = builder.declaredMethods.filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic }
            // What is internal has a $ in its name.
            (java.map { it.name }.filter { '$' !in it } - known.toSet() - removing.toSet() - "build").shouldBeEmpty()
            val kotlin = builder.kotlin.memberProperties.filter { it.javaGetter != null }
            (kotlin.map { it.name } - keys.toSet()).shouldBeEmpty()
        }
    }

    "all sections are looked at" {
        sections.map { it.name() }.sorted() shouldBe
            "Array Configuration Driver Export Health Http Latency Memory Nbd Policy".split(" ")
    }
})

private fun String.singular() = removeSuffix("s")
