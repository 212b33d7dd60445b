package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverJar
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.RandomAccessFile
import kotlin.io.path.div
import kotlin.io.path.fileSize
import kotlin.io.path.writeBytes
import kotlin.random.Random

class JarLimitsSpec : StringSpec({
    val file = tempdir().toPath() / "scanned.jar"
    val mib = 1 shl 20
    val zeros = ByteArray(3 * mib)
    val noise = Random(1).nextBytes(3 * mib)

    fun why(jar: DriverJar, limits: JarLimits) = DriverScanner(limits).scan(jar.writeTo(file)).whyRejected()

    fun accept(jar: DriverJar, limits: JarLimits) =
        DriverScanner(limits).scan(jar.writeTo(file)) shouldName listOf("ram")

    "too many entries" {
        why(ramJar().padding(10, 100), JarLimits(entries = 11)) shouldBe "has 12 entries; 11 are allowed"
        accept(ramJar().padding(10, 100), JarLimits(entries = 12))
    }

    "a file that is too large" {
        val size = ramJar().writeTo(file).fileSize()
        accept(ramJar(), JarLimits(jarSize = size))
        why(ramJar(), JarLimits(jarSize = size - 1)) shouldBe "has $size bytes; ${size - 1} are allowed"
    }

    "an entry that is too large, whatever it says" {
        val limits = JarLimits(entrySize = 3L * mib - 1)
        accept(ramJar().entry("noise", noise), JarLimits(entrySize = 3L * mib))
        why(ramJar().entry("noise", noise), limits) shouldContain "has an entry of more than 3145727 bytes: 'noise'"
        why(ramJar().entry("noise", noise, claimedSize = 10), limits) shouldContain "has an entry of more than 3145727"
        why(ramJar().entry("noise", noise, claimedSize = 10), JarLimits()) shouldContain "is damaged: 'noise'"
    }

    "a total that is too large, whatever the entries say" {
        fun jar(claimed: Int?) =
            ramJar().entry("a", noise, claimedSize = claimed).entry("b", noise, claimedSize = claimed)
        accept(jar(null), JarLimits(totalSize = 7L * mib))
        why(jar(null), JarLimits(totalSize = 6L * mib)) shouldBe "inflates to more than 6291456 bytes"
        why(jar(10), JarLimits(totalSize = 2L * mib)) shouldBe "inflates to more than 2097152 bytes"
    }

    "an entry that inflates beyond measure, whatever it says" {
        val reason = "has an entry that inflates to more than 100 times its size: 'zeros'"
        why(ramJar().entry("zeros", zeros), JarLimits()) shouldBe reason
        why(ramJar().entry("zeros", zeros, claimedSize = 1000), JarLimits()) shouldBe reason
        accept(ramJar().entry("zeros", zeros), JarLimits(ratio = 1100))
        accept(ramJar().entry("zeros", ByteArray(mib)), JarLimits())
    }

    "a class file that no compiler wrote" {
        why(ramJar().entry("Big.class", ByteArray(9 * mib) { noise[it % noise.size] }), JarLimits()) shouldContain
            "has an entry of more than 8388608 bytes: 'Big.class'"
    }

    "with a descriptor, what an entry says is believed if it is too much, and what is not read is not inflated" {
        val json = """{ "id": "ram", "entryType": "$RAM", "version": "1.0.0" }"""

        fun jar(claimed: Int?) = ramJar().descriptor(json).entry("zeros", zeros, claimedSize = claimed)
        why(jar(null), JarLimits()) shouldContain "more than 100 times"
        accept(jar(1000), JarLimits())
    }

    "a table of contents that would fill the memory is not read" {
        val jar = DriverJar()
        repeat(2100) { jar.resource("$it".padEnd(1000, '-'), "") }
        why(jar, JarLimits(entries = 5000)) shouldContain "has a table of contents of"
        DriverScanner().scan(file).rejected shouldBe emptyList()
    }

    "a zip64 table of contents is measured too" {
        val bytes = ramJar().bytes()
        val end = bytes.copyOfRange(bytes.size - 22, bytes.size)
        val zip64 = ByteArray(56).also { "PK\u0006\u0006".encodeToByteArray().copyInto(it) }
        zip64[45] = 1 // 2^40
        val locator = ByteArray(20).also { "PK\u0006\u0007".encodeToByteArray().copyInto(it) }
        val at = bytes.size - 22
        repeat(4) { locator[8 + it] = (at shr 8 * it).toByte() }
        end.fill(-1, 8, 20)
        file.writeBytes(bytes.copyOf(at) + zip64 + locator + end)
        RandomAccessFile(file.toFile(), "r").use(ZipEnd::tableLength) shouldBe (1L shl 40)
        DriverScanner().scan(file).whyRejected() shouldContain "is damaged"
    }

    "limits are above 0" {
        shouldThrow<IllegalArgumentException> { JarLimits(entries = 0) }
    }
})
