package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.isolate.DriverArchives
import dev.arraywright.kernel.driver.isolate.LoaderLimits
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipInputStream
import java.util.zip.ZipOutputStream
import kotlin.io.path.div
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.writeBytes
import kotlin.random.Random

/** Jars that say one thing to who reads their table of contents and another to who reads on from their first byte. */
class ZipLayoutSpec : StringSpec({
    val folder = tempdir().toPath()
    val scratch = tempdir().toPath()
    val file = folder / "scanned.jar"
    val scanner = DriverScanner()

    fun jar(): ByteArray = ramJar().stored().resource("one.txt", "the first").resource("two.txt", "the second").bytes()

    fun scan(bytes: ByteArray) = scanner.scan(file.apply { writeBytes(bytes) })

    fun why(bytes: ByteArray) = scan(bytes).whyRejected()

    /** What streaming tools write: the sizes come behind the bytes. */
    fun streamed(): ByteArray {
        val out = ByteArrayOutputStream()
        ZipOutputStream(out).use { zip ->
            for ((name, content) in ramJar().classes() + ("two.txt" to "the second".encodeToByteArray())) {
                zip.putNextEntry(ZipEntry(name))
                zip.write(content)
            }
        }
        return out.toByteArray()
    }

    "a sound jar, with sizes before or behind the bytes, a comment, or a program in front" {
        scan(jar()) shouldName listOf("ram")
        scan(streamed()) shouldName listOf("ram")
        scan("#!/bin/sh\nexec java -jar \"$0\"\n".encodeToByteArray() + jar()) shouldName listOf("ram")
        val commented = jar() + "a comment".encodeToByteArray()
        commented.little().putShort(commented.size - 9 - 2, 9)
        scan(commented) shouldName listOf("ram")
    }

    "a manifest that a strict reader understands and the JDK does not counts as the JDK has it" {
        val jar = ramJar().multiRelease(9, ramJar(version = "2.0.0"))
        val versions = listOf("true", "tr\r\n ue").map { said ->
            scan(jar.manifest("Multi-Release", said).bytes()).infos().single().version.toString()
        }
        versions shouldBe listOf("2.0.0", "1.0.0")
    }

    "another word at the entry than in the table of contents" {
        for ((field, at) in mapOf("encryption" to 6, "method" to 8, "checksum" to 14, "size" to 18, "name" to 32)) {
            val bytes = jar()
            val local = bytes.local("two.txt")
            bytes[local + at] = (bytes[local + at].toInt() xor 1).toByte()
            why(bytes) shouldBe "has another $field of 'two.txt' in its table of contents than at the entry"
        }
        val inflated = jar()
        inflated[inflated.local("two.txt") + 22]++
        why(inflated) shouldContain "has another size of 'two.txt'"
        val behind = streamed()
        val trailer = behind.find("PK\u0007\u0008", behind.local("two.txt"))
        for ((field, at) in mapOf("checksum" to 4, "size" to 8)) {
            why(behind.copyOf().also { it[trailer + at]++ }) shouldContain "has another $field of 'two.txt'"
        }
        why(behind.copyOf().also { it[trailer + 12]++ }) shouldContain "has another size of 'two.txt'"
        why(behind.copyOf().also { it[trailer]++ }) shouldBe
            "has no word on the size of 'two.txt' behind it, or more than that"
    }

    "entries that share bytes, as in a zip bomb without nesting" {
        val twice = jar()
        twice.little().putInt(twice.listed("two.txt") + 42, twice.local("one.txt"))
        why(twice) shouldBe "has entries that share bytes: 'one.txt' and 'two.txt'"
        // The first entry quotes all of the second, header and bytes.
        val quoting = jar()
        val from = quoting.local("one.txt") + 37
        val to = quoting.listed("META-INF/MANIFEST.MF")
        val crc = CRC32().apply { update(quoting, from, to - from) }.value.toInt()
        for (header in listOf(quoting.local("one.txt") + 14, quoting.listed("one.txt") + 16)) {
            quoting.little().putInt(header, crc).putInt(header + 4, to - from).putInt(header + 8, to - from)
        }
        why(quoting) shouldBe "has entries that share bytes: 'one.txt' and 'two.txt'"
    }

    "an entry that the table of contents does not know of" {
        fun without(name: String): ByteArray {
            val bytes = jar()
            val at = bytes.listed(name)
            val rest = bytes.copyOf(at) + bytes.copyOfRange(at + 46 + name.length, bytes.size)
            val end = rest.size - 22
            val count = rest.little().getShort(end + 8).toInt() - 1
            rest.little().putShort(end + 8, count.toShort()).putShort(end + 10, count.toShort())
            rest.little().putInt(end + 12, rest.little().getInt(end + 12) - 46 - name.length)
            return rest
        }
        val reason = "that its table of contents does not know of"
        why(without("META-INF/MANIFEST.MF")) shouldBe "has bytes before its first entry $reason"
        why(without("one.txt")) shouldBe "has bytes before 'two.txt' $reason"
        why(without("two.txt")) shouldBe "has bytes before its table of contents $reason"
    }

    "something behind the end, a second end, or another count" {
        why(jar() + 1) shouldBe "has bytes behind its end, or lacks some"
        why(jar() + jar().copyOfRange(0, 60)) shouldBe "has bytes behind its end, or lacks some"
        val two = jar() + "PK\u0005\u0006 in a comment".encodeToByteArray() + ByteArray(22)
        two.little().putShort(jar().size - 2, (two.size - jar().size).toShort())
        why(two) shouldContain "behind its end"
        val many = jar()
        many.little().putShort(many.size - 14, 9).putShort(many.size - 12, 9)
        scan(many).rejected.size shouldBe 1
    }

    "libraries inside, which are not scanned, are looked at when they are loaded" {
        val library = DriverJar().stored().resource("one.txt", "the first").bytes()
        library[library.local("one.txt") + 14]++
        ramJar().entry("lib/odd.jar", library).writeTo(file)
        scanner.scan(file) shouldName listOf("ram")
        val limits = LoaderLimits(scratch = scratch)
        shouldThrow<IOException> { DriverArchives.open(file, limits) }.message shouldBe
            "scanned.jar!/lib/odd.jar has another checksum of 'one.txt' in its table of contents than at the entry"
        scratch.listDirectoryEntries().shouldBeEmpty()
    }

    "of a jar that was changed anywhere and is accepted, scanner, loader and stream see the same bytes" {
        val limits = LoaderLimits(scratch = scratch)
        val kinds = listOf(jar(), streamed(), ramJar().multiRelease(9, ramJar()).bytes())
        var accepted = 0
        for (seed in 1..6_000) {
            withClue("seed $seed") {
                val random = Random(seed)
                val bytes = mutated(kinds.random(random), random)
                if (scan(bytes).rejected.isNotEmpty()) return@withClue
                accepted++
                val streamed = ZipInputStream(ByteArrayInputStream(bytes)).use { zip ->
                    generateSequence { zip.nextEntry }.associate { it.name to zip.readBytes() }
                }
                BoundedJar.open(file, JarLimits()).use { jar ->
                    streamed.filterKeys { !it.endsWith("/") }.keys shouldBe jar.names.toSet()
                    DriverArchives.open(file, limits).use { archives ->
                        for (name in jar.names) {
                            val seen = jar.read(name, JarLimits.MIB)
                            streamed[name] shouldBe seen
                            if (name.startsWith("org/")) continue
                            archives.all.single().open(name).use { it.readBytes() } shouldBe seen
                        }
                        val classes = JarClasses(jar)
                        for (name in jar.names.filter { it.startsWith("org/") }) {
                            val loaded = checkNotNull(archives.all.single().readClass(name)).first
                            classes.find(name.removeSuffix(".class"))
                            jar.content.copyOf(loaded.size) shouldBe loaded
                        }
                    }
                }
            }
        }
        accepted shouldBeGreaterThan 200
    }
}) {
    private companion object {
        fun ByteArray.little(): ByteBuffer = ByteBuffer.wrap(this).order(ByteOrder.LITTLE_ENDIAN)

        fun ByteArray.find(text: String, from: Int = 0): Int = String(this, Charsets.ISO_8859_1).indexOf(text, from)

        /** Where the header in front of the entry is. */
        fun ByteArray.local(name: String): Int = find(name) - 30

        /** Where its place in the table of contents is. */
        fun ByteArray.listed(name: String): Int = String(this, Charsets.ISO_8859_1).lastIndexOf(name) - 46

        /** Changed where it matters most as often as anywhere: in the headers. */
        fun mutated(whole: ByteArray, random: Random): ByteArray {
            val bytes = whole.copyOf()
            val marks = bytes.indices.filter { it + 4 <= bytes.size && bytes.little().getShort(it) == 0x4b50.toShort() }
            repeat(random.nextInt(1, 4)) {
                val at = (
                    if (random.nextBoolean())
                        marks.random(
                            random,
                        ) + random.nextInt(50)
                    else
                        random.nextInt(bytes.size)
                )
                    .coerceAtMost(bytes.size - 1)
                bytes[at] = when (random.nextInt(3)) {
                    0 -> random.nextInt().toByte()
                    1 -> bytes[random.nextInt(bytes.size)]
                    else -> (bytes[at].toInt() xor (1 shl random.nextInt(8))).toByte()
                }
            }
            return bytes
        }
    }
}
