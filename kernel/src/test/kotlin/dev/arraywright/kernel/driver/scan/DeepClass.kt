package dev.arraywright.kernel.driver.scan

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream

/** The class file of `Deep`, whose `@StorageDriver` has an array in an array and so on, [depth] times. */
internal fun deeplyAnnotated(depth: Int): ByteArray {
    val bytes = ByteArrayOutputStream()
    with(DataOutputStream(bytes)) {
        writeInt(0xCAFEBABE.toInt())
        writeInt(61)
        val texts = listOf("Deep", "java/lang/Object", "RuntimeVisibleAnnotations", AnnotationReader.DESCRIPTOR, "name")
        writeShort(texts.size + 3)
        for (text in texts) {
            writeByte(1)
            writeUTF(text)
        }
        for (type in 1..2) {
            writeByte(7)
            writeShort(type)
        }
        listOf(0x21, 6, 7, 0, 0, 0, 1, 3).forEach(::writeShort) // flags … no members, one attribute
        writeInt(8 + 3 * depth + 3)
        listOf(1, 4, 1, 5).forEach(::writeShort) // one annotation with one element
        repeat(depth) {
            writeByte('['.code)
            writeShort(1)
        }
        writeByte('s'.code)
        writeShort(5)
    }
    return bytes.toByteArray()
}
