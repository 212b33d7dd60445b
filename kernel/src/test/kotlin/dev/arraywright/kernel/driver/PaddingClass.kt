package dev.arraywright.kernel.driver

import java.lang.classfile.ClassFile
import java.lang.constant.ClassDesc
import java.lang.constant.ConstantDescs
import java.lang.constant.MethodTypeDesc
import java.lang.reflect.AccessFlag
import kotlin.random.Random

/** Classes by the thousand, without a compiler. */
internal object PaddingClass {
    private val words = "read write block stripe offset length buffer device chunk mirror".split(' ')
    private val files: ClassFile = ClassFile.of()
    private val textOfInt = MethodTypeDesc.of(ConstantDescs.CD_String, ConstantDescs.CD_int)

    /** Loadable; the same for the same name and size. */
    fun of(type: String, size: Int): ByteArray {
        val random = Random(type.hashCode())
        return files.build(ClassDesc.of(type)) { builder ->
            builder.withFlags(AccessFlag.PUBLIC, AccessFlag.FINAL, AccessFlag.SUPER)
            repeat((size / BYTES_A_METHOD).coerceAtLeast(1)) { index ->
                val name = words.random(random) + words.random(random).replaceFirstChar(Char::uppercase) + index
                val text = List(4) { words.random(random) }.joinToString(" ", postfix = " ${random.nextInt()}")
                builder.withMethodBody(name, textOfInt, ClassFile.ACC_PUBLIC or ClassFile.ACC_STATIC) { code ->
                    code.iload(0).loadConstant(random.nextInt()).iadd().pop()
                    code.ldc(code.constantPool().stringEntry(text)).areturn()
                }
            }
        }
    }

    private const val BYTES_A_METHOD = 110
}
