package dev.arraywright.kernel.driver.source

import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipFile
import kotlin.io.path.writeBytes
import kotlin.random.Random

class ZipTableSpec : StringSpec({
    val file = tempdir().toPath().resolve("a.jar")

    fun read(bytes: ByteArray): Contents {
        file.writeBytes(bytes)
        return ZipTable.read(file)
    }

    "a whole zip is whole, and another one has another checksum" {
        val first = read(jarBytes(1)).shouldBeInstanceOf<Contents.Whole>()
        read(jarBytes(1)) shouldBe first
        read(jarBytes(2)) shouldNotBe first
        read(jarBytes(1, comment = "hello")) shouldBe first
    }

    "no part of a zip is whole, not even one that ends with a zip stored in it" {
        val inner = jarBytes(3, size = 100)
        val whole = jarBytes(4, size = 200, stored = inner)
        for (length in whole.indices) {
            read(whole.copyOf(length)).shouldBeInstanceOf<Contents.Incomplete>()
        }
        // As a file does whose whole length was reserved at first.
        for (length in whole.indices) {
            val reserved = whole.copyOf(length).copyOf(whole.size)
            if (!reserved.contentEquals(whole)) read(reserved).shouldBeInstanceOf<Contents.Incomplete>()
        }
        read(whole).shouldBeInstanceOf<Contents.Whole>()
        (read(ByteArray(0)) as Contents.Incomplete).why shouldBe "is empty"
        (read(ByteArray(70_000)) as Contents.Incomplete).why shouldContain "no complete zip"
    }

    "a program may stand before it, and the longest comment behind it" {
        read("#!/bin/sh\n".toByteArray() + jarBytes()).shouldBeInstanceOf<Contents.Whole>()
        read(jarBytes(comment = "x".repeat(0xFFFF))).shouldBeInstanceOf<Contents.Whole>()
    }

    "one with 64-bit records is read by these" {
        val plain = jarBytes()
        val end = plain.size - 22
        val fields = ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN)
        val length = fields.getInt(end + 12).toLong()
        val offset = fields.getInt(end + 16).toLong()
        val tail = ByteBuffer.allocate(56 + 20 + 22).order(ByteOrder.LITTLE_ENDIAN)
        tail.putInt(0x06064b50).putLong(44).putShort(45).putShort(45).putInt(0).putInt(0).putLong(1).putLong(1)
        tail.putLong(length).putLong(offset)
        tail.putInt(0x07064b50).putInt(0).putLong(end.toLong()).putInt(1)
        tail.putInt(0x06054b50).putShort(0).putShort(0).putShort(-1).putShort(-1).putInt(-1).putInt(-1).putShort(0)
        val large = plain.copyOf(end) + tail.array()
        read(large) shouldBe read(plain)
        file.writeBytes(large)
        ZipFile(file.toFile()).use { it.size() shouldBe 1 }
        for (cut in end..<large.size) read(large.copyOf(cut)).shouldBeInstanceOf<Contents.Incomplete>()
    }

    "what only looks like an end has no table before it" {
        val end = ByteBuffer.allocate(22).order(ByteOrder.LITTLE_ENDIAN)
        end.putInt(0, 0x06054b50).putInt(12, 60).putInt(16, 40)
        read(ByteArray(100) { 1 } + end.array()).shouldBeInstanceOf<Contents.Incomplete>()
        end.putInt(12, 200)
        read(ByteArray(100) { 1 } + end.array()).shouldBeInstanceOf<Contents.Incomplete>()
    }

    "no bytes make it fail" {
        val whole = jarBytes(5, size = 50, stored = jarBytes(6, size = 20))
        val random = Random(1)
        repeat(500) {
            val bytes = whole.copyOf()
            repeat(1 + random.nextInt(6)) { bytes[bytes.size - 1 - random.nextInt(160)] = random.nextInt().toByte() }
            read(bytes)
        }
    }
})
