package dev.arraywright.admin.house

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import java.lang.classfile.ClassModel
import java.lang.classfile.constantpool.ClassEntry
import java.lang.classfile.constantpool.MemberRefEntry
import java.lang.classfile.constantpool.Utf8Entry
import kotlin.io.path.extension

/** The arrows of the house and what no room may touch, read from compiled classes: an import leaves its mark there. */
class BoundariesSpec : StringSpec({
    House.arrows.forEach { (module, seen) ->
        "$module sees only ${seen.ifEmpty { setOf("itself") }.joinToString()}" {
            val allowed = (seen + House.room(module)).map { "dev.arraywright.$it" }
            val classes = House.read(module).shouldNotBeEmpty()
            offences(classes) { _, name ->
                name.startsWith("dev.arraywright.") && allowed.none { name.startsWith("$it.") }
            } shouldBe emptyList()
        }
    }

    "JNA is touched by hardware/linux alone" {
        House.arrows.keys.flatMap { module ->
            offences(House.read(module)) { owner, name ->
                name.startsWith("com.sun.jna.") && !owner.startsWith("dev.arraywright.hardware.linux.")
            }
        } shouldBe emptyList()
    }

    "no Kotlin type crosses the SPI" {
        offences(House.read("spi")) { _, name -> KOTLIN.any { name.startsWith(it) } } shouldBe emptyList()
    }

    "Java rooms of raid know no Kotlin" {
        offences(House.read("raid").filter { inJavaRoom(it.className()) }) { _, name ->
            KOTLIN.any { name.startsWith(it) }
        } shouldBe emptyList()
    }

    "Ktor stays in the admin surface" {
        (House.arrows.keys - "ktor-admin").flatMap { module ->
            offences(House.read(module)) { _, name -> name.startsWith("io.ktor.") }
        } shouldBe emptyList()
    }

    "the engine has no clock, no random source, no thread and no scope of its own" {
        House.read("raid").filter { ENGINE.any { room -> it.className().startsWith("$room.") } }.flatMap { model ->
            model.members().filter { it in BANNED_IN_THE_ENGINE }.map { "${model.className()} calls $it" }
        } shouldBe emptyList()
    }

    "a room has one language, and its path shows it" {
        House.arrows.keys.flatMap { module ->
            val java = House.sources(module, "java")
            val kotlin = House.sources(module, "kotlin")
            val strays = java.filter { it.second.extension == "kt" } + kotlin.filter { it.second.extension == "java" }
            val mixed = java.map { it.first }.toSet() intersect kotlin.map { it.first }.toSet()
            val misplaced = kotlin.filter { inJavaRoom("${it.first}.") }
            mixed.map { "$module: $it holds Java and Kotlin" } +
                (strays + misplaced).map { "$module: ${it.second} is in a room of the other language" }
        } shouldBe emptyList()
    }
})

private val KOTLIN = listOf("kotlin.", "kotlinx.")
private val JAVA_ROOMS = listOf("spi", "raid.codec", "raid.layout", "raid.metadata", "raid.space").map {
    "dev.arraywright.$it"
}
private val ENGINE = listOf("array", "repair").map { "dev.arraywright.raid.$it" }
private val BANNED_IN_THE_ENGINE = setOf(
    "java.lang.System.currentTimeMillis",
    "java.lang.System.nanoTime",
    "java.lang.Thread.sleep",
    "java.lang.Thread.start",
    "java.time.Instant.now",
    "java.util.UUID.randomUUID",
    "java.util.concurrent.ThreadLocalRandom.current",
    "java.lang.Math.random",
    "kotlinx.coroutines.GlobalScope.INSTANCE",
    "kotlinx.coroutines.BuildersKt.runBlocking",
    "kotlinx.coroutines.BuildersKt.runBlocking\$default",
)

private fun inJavaRoom(className: String): Boolean = JAVA_ROOMS.any { className.startsWith("$it.") }

private fun ClassModel.className(): String = thisClass().asInternalName().replace('/', '.')

/** "class refers to class", once each, for every class named in code, signatures and annotations that is an offence. */
private fun offences(classes: List<ClassModel>, offence: (owner: String, name: String) -> Boolean): List<String> =
    classes.flatMap { model ->
        val owner = model.className()
        model.named().filter { offence(owner, it) }.map { "$owner refers to $it" }
    }.sorted()

private val DESCRIPTOR_CLASS = Regex("L([\\w$/]+)[;<]")

private fun ClassModel.named(): Set<String> = constantPool().flatMap { entry ->
    when (entry) {
        is ClassEntry -> listOf(entry.asInternalName().trimStart('[').removePrefix("L").removeSuffix(";"))
        is Utf8Entry -> DESCRIPTOR_CLASS.findAll(entry.stringValue()).map { it.groupValues[1] }.toList()
        else -> emptyList()
    }
}.mapTo(mutableSetOf()) { it.replace('/', '.') }

private fun ClassModel.members(): Set<String> = constantPool().filterIsInstance<MemberRefEntry>()
    .mapTo(mutableSetOf()) { "${it.owner().asInternalName().replace('/', '.')}.${it.name().stringValue()}" }
