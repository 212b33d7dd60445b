package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.plain
import dev.arraywright.kernel.driver.shown
import java.lang.classfile.ClassFile
import java.lang.classfile.ClassModel

/** A class file that was parsed as far as it was asked for, without its class being loaded. */
internal class ScannedClass private constructor(
    /** The binary name. */
    val name: String,
    private val model: ClassModel,
    private val tooNew: String?,
) {
    /** The class, if this JVM can load it. */
    fun loadable(): ScannedClass = if (tooNew == null) this else throw UnfitJar(tooNew)

    /** Looks at the file; whatever the parser cannot make sense of is damage. */
    fun <T> look(at: (ClassModel) -> T): T = wellFormed(name, tooNew) { at(model) }

    companion object {
        private const val PREVIEW = 0xFFFF

        fun of(internalName: String, entry: String, bytes: ByteArray): ScannedClass {
            val name = internalName.replace('/', '.')
            if (bytes.size < 10 || number(bytes, 0) != 0xCAFE || number(bytes, 2) != 0xBABE) {
                throw UnfitJar("has in ${shown(entry)} what is no class file")
            }
            val newest = ClassFile.latestMajorVersion()
            val (minor, major) = number(bytes, 4) to number(bytes, 6)
            val tooNew = when {
                major > newest -> "$name is compiled for Java ${major - JAVA_0}; this is Java ${newest - JAVA_0}"
                minor == PREVIEW -> "$name is compiled with preview features of Java ${major - JAVA_0}"
                else -> null
            }
            // The parser refuses newer ones; most likely the part that is of interest is as it ever was.
            if (major > newest) setMajor(bytes, newest)
            val model = wellFormed(name, tooNew) { ClassFile.of().parse(bytes) }
            val says = wellFormed(name, tooNew) { model.thisClass().asInternalName() }
            if (says != internalName) {
                val found = shown(says.replace('/', '.'))
                throw UnfitJar("has a class $found where nobody looks for it: ${shown(entry)}")
            }
            return ScannedClass(name, model, tooNew)
        }

        private fun setMajor(bytes: ByteArray, major: Int) {
            bytes[6] = (major shr 8).toByte()
            bytes[7] = major.toByte()
        }

        private fun number(bytes: ByteArray, at: Int): Int =
            (bytes[at].toInt() and 0xFF shl 8) or (bytes[at + 1].toInt() and 0xFF)

        /** Java 1 would have been 45. */
        private const val JAVA_0 = 44
    }
}

/** @param tooNew why the parser may fail although the file is sound */
private inline fun <T> wellFormed(name: String, tooNew: String?, look: () -> T): T {
    val damaged = "is damaged: the class file of $name makes no sense"
    return try {
        look()
    } catch (e: RuntimeException) {
        // An IllegalArgumentException as a rule, but also what the parser's own mistakes lead to, like a failed cast.
        throw UnfitJar(tooNew ?: "$damaged (${plain(e.message.orEmpty())})", e)
    } catch (e: StackOverflowError) {
        // The parser goes into annotations within annotations by calling itself.
        throw UnfitJar(tooNew ?: "$damaged (it is nested too deeply)", e)
    }
}
