package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.spi.driver.Driver
import java.lang.classfile.ClassFile
import java.lang.classfile.ClassModel

/** A class that announces a driver: whether it can be one, and what it announces. */
internal class DriverClass(private val type: ScannedClass, private val classes: JarClasses) {
    /** What could not be told from the jar. */
    val notes = mutableListOf<String>()

    /** @throws UnfitJar if the class cannot be a driver, or announces what makes no sense */
    fun info(platform: DriverVersion): DriverInfo {
        type.loadable()
        type.look(::problemWith)?.let { throw UnfitJar("announces ${type.name} as a driver, but $it") }
        val info = try {
            AnnotationReader.read(type)
        } catch (e: IllegalArgumentException) {
            throw UnfitJar("has a driver ${type.name} with a bad @StorageDriver: ${e.message}", e)
        }
        if (!platform.serves(info.minimumPlatform)) {
            throw UnfitJar("has $info, which needs Arraywright ${info.minimumPlatform} or newer; this is $platform")
        }
        checkLineage()
        return info
    }

    private fun problemWith(model: ClassModel): String? {
        val flags = model.flags()
        return when {
            flags.flagsMask() and ClassFile.ACC_INTERFACE != 0 -> "it is an interface"
            flags.flagsMask() and ClassFile.ACC_ABSTRACT != 0 -> "it is abstract"
            flags.flagsMask() and ClassFile.ACC_PUBLIC == 0 -> "it is not public"
            model.methods().none { method ->
                method.methodName().equalsString("<init>") && method.methodType().equalsString("()V") &&
                    method.flags().flagsMask() and ClassFile.ACC_PUBLIC != 0
            } -> "it has no public constructor without parameters"
            else -> null
        }
    }

    /** Follows what the class extends and implements, as far as that is in the jar. */
    private fun checkLineage() {
        val seen = linkedSetOf<String>()
        val elsewhere = sortedSetOf<String>()
        val waiting = ArrayDeque(supertypes(type))
        while (waiting.isNotEmpty()) {
            val name = waiting.removeFirst()
            if (name == DRIVER) return
            if (name.startsWith("java/") || !seen.add(name)) continue
            if (seen.size > MOST_SUPERTYPES) throw UnfitJar("has a driver ${type.name} with too many supertypes")
            val found = classes.find(name)
            if (found == null) elsewhere += name.replace('/', '.') else waiting += supertypes(found.loadable())
        }
        if (elsewhere.isEmpty()) {
            throw UnfitJar("announces ${type.name} as a driver, but it does not implement ${Driver::class.java.name}")
        }
        notes += "whether it implements ${Driver::class.java.simpleName} shows when it is loaded: " +
            "${elsewhere.joinToString()} is not in the jar"
    }

    private fun supertypes(of: ScannedClass): List<String> = of.look { model ->
        (listOfNotNull(model.superclass().orElse(null)) + model.interfaces()).map { it.asInternalName() }
    }

    private companion object {
        val DRIVER: String = Driver::class.java.name.replace('.', '/')
        const val MOST_SUPERTYPES = 1000
    }
}
