package dev.arraywright.kernel.driver.isolate

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * The smallest shared object that a dynamic linker takes, for Linux on this machine's processor: one function that
 * takes anything and gives a number. No compiler is needed, and each number makes another file.
 *
 * ```
 * 0         ELF header, and program headers: code, data, the dynamic section, a stack that is not executable
 * 0x200     the hash table of one name, two symbols (the first is nobody's), their names, the code
 * PAGE      the dynamic section, in a page that the linker may write to
 * ```
 */
internal fun sharedObject(symbol: String, number: Int): ByteArray {
    val arm = NativeCopies.PLATFORM.endsWith("aarch64")
    check(arm || NativeCopies.PLATFORM == "linux-x86_64") { "no code for ${NativeCopies.PLATFORM} here" }
    val names = "\u0000$symbol\u0000".encodeToByteArray()
    val code = (STRINGS + names.size + 15) / 16 * 16
    val bytes = ByteBuffer.allocate(PAGE + DYNAMIC_LENGTH).order(ByteOrder.LITTLE_ENDIAN)
    bytes.putInt(0x464c457f).put(2).put(1).put(1).position(16)
    bytes.putShort(3).putShort(if (arm) 183 else 62).putInt(1).putLong(0).putLong(64).putLong(0)
    bytes.putInt(0).putShort(64).putShort(56).putShort(4).putShort(64).putShort(0).putShort(0)

    fun segment(type: Int, flags: Int, at: Int, length: Int, align: Int) {
        bytes.putInt(type).putInt(flags).putLong(at.toLong()).putLong(at.toLong()).putLong(at.toLong())
        bytes.putLong(length.toLong()).putLong(length.toLong()).putLong(align.toLong())
    }
    segment(LOAD, READ or EXECUTE, 0, code + 16, PAGE)
    segment(LOAD, READ or WRITE, PAGE, DYNAMIC_LENGTH, PAGE)
    segment(DYNAMIC, READ or WRITE, PAGE, DYNAMIC_LENGTH, 8)
    segment(STACK, READ or WRITE, 0, 0, 16)

    bytes.position(HASH).putInt(1).putInt(2).putInt(1).putInt(0).putInt(0)
    bytes.position(SYMBOLS + 24).putInt(1).put(0x12).put(0).putShort(1).putLong(code.toLong()).putLong(16)
    bytes.position(STRINGS).put(names)
    bytes.position(code)
    if (arm)
        bytes.putInt(0x52800000 or (number shl 5)).putInt(0xd65f03c0.toInt())
    else
        bytes.put(0xb8.toByte()).putInt(number).put(0xc3.toByte())

    bytes.position(PAGE)
    val dynamic = listOf(4 to HASH, 5 to STRINGS, 6 to SYMBOLS, 10 to names.size, 11 to 24, 0 to 0)
    for ((tag, value) in dynamic) bytes.putLong(tag.toLong()).putLong(value.toLong())
    return bytes.array()
}

private const val HASH = 0x200
private const val SYMBOLS = 0x220
private const val STRINGS = 0x250

/** The largest that a processor here has. */
private const val PAGE = 0x10000
private const val DYNAMIC_LENGTH = 6 * 16
private const val LOAD = 1
private const val DYNAMIC = 2
private const val STACK = 0x6474e551
private const val EXECUTE = 1
private const val WRITE = 2
private const val READ = 4
