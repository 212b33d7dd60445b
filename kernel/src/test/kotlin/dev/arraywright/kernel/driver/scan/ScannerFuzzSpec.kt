package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverJar
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotBeBlank
import kotlin.io.path.div
import kotlin.io.path.writeBytes
import kotlin.random.Random

/** Whatever the bytes: a result with a reason, and no exception. */
class ScannerFuzzSpec : StringSpec({
    val file = tempdir().toPath() / "scanned.jar"
    val setting = """@DriverSetting(name = "s", description = "S", choices = {"a", "b"})"""
    val annotation = """supportedDevices = {"ram", "pci:*"}, requires = "fabric ^1.2", settings = $setting"""
    val json = """{ "id": "ram", "entryType": "$RAM", "version": "1.0.0", "requires": ["fabric ^1.2"] }"""
    val plain = ramJar(annotation).multiRelease(9, ramJar(annotation)).library("x.jar", DriverJar().padding(1, 100))
    val kinds = listOf(plain.bytes(), ramJar(annotation).stored().bytes(), ramJar(annotation).descriptor(json).bytes())

    /** The reason, or null if it was found all right. */
    fun scan(bytes: ByteArray): String? {
        file.writeBytes(bytes)
        val result = DriverScanner().scan(file)
        (result.candidates.size.coerceAtMost(1) + result.rejected.size + result.libraries.size) shouldBe 1
        return result.rejected.singleOrNull()?.why?.also { it.shouldNotBeBlank() }
    }

    "a jar cut short anywhere is rejected" {
        for ((index, whole) in kinds.withIndex()) {
            scan(whole) shouldBe null
            for (length in whole.indices step 3 * index + 1) {
                withClue("$length of ${whole.size}") { (scan(whole.copyOf(length)) != null) shouldBe true }
            }
        }
    }

    "a jar with flipped bits is rejected with a reason, or none of them mattered" {
        var rejected = 0
        for (seed in 1..3_000) {
            val random = Random(seed)
            val bytes = kinds.random(random).copyOf()
            repeat(random.nextInt(1, 4)) { flip(bytes, random.nextInt(bytes.size), random) }
            withClue("seed $seed") { if (scan(bytes) != null) rejected++ }
        }
        rejected shouldBeGreaterThan 1_500
    }

    "a class file with flipped bits, in a jar that is whole" {
        val whole = ramJar(annotation).classes().values.single()
        var rejected = 0
        for (seed in 1..4_000) {
            val random = Random(seed)
            val bytes = whole.copyOf()
            repeat(random.nextInt(1, 4)) { flip(bytes, random.nextInt(bytes.size), random) }
            val jar = DriverJar().stored().entry(DriverJar.entryOf(RAM), bytes)
            withClue("seed $seed") { if (scan(jar.bytes()) != null) rejected++ }
        }
        rejected shouldBeGreaterThan 1_000
    }

    "a class file cut short, or overwritten from somewhere on, in a jar that is whole" {
        val whole = ramJar(annotation).classes().values.single()
        for (length in whole.indices step 2) {
            val jar = DriverJar().stored()
            val noise = whole.copyOf(length) + Random(length).nextBytes(whole.size - length)
            withClue("from $length") {
                scan(jar.entry(DriverJar.entryOf(RAM), whole.copyOf(length)).bytes())
                scan(DriverJar().stored().entry(DriverJar.entryOf(RAM), noise).bytes())
            }
        }
    }

    "bytes at random, and what looks like the start or the end of a zip among them" {
        val marks = listOf("PK\u0003\u0004", "PK\u0001\u0002", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007")
        for (seed in 1..2_000) {
            val random = Random(seed)
            val bytes = random.nextBytes(random.nextInt(1, 400))
            repeat(random.nextInt(4)) {
                val mark = marks.random(random).encodeToByteArray()
                if (bytes.size > 4) mark.copyInto(bytes, random.nextInt(bytes.size - 4))
            }
            withClue("seed $seed") { (scan(bytes) != null) shouldBe true }
        }
    }

    "a descriptor with flipped bits, in a jar that is whole" {
        val type = ramJar(annotation).classes().values.single()

        fun whole() = DriverJar().entry(DriverJar.entryOf(RAM), type)
        for (seed in 1..500) {
            val random = Random(seed)
            val bytes = json.encodeToByteArray()
            flip(bytes, random.nextInt(bytes.size), random)
            withClue("seed $seed") { scan(whole().entry(DriverDescriptor.ENTRY, bytes).bytes()) }
        }
    }
}) {
    private companion object {
        fun flip(bytes: ByteArray, at: Int, random: Random) {
            bytes[at] = (bytes[at].toInt() xor (1 shl random.nextInt(8))).toByte()
        }
    }
}
