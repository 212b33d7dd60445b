package dev.arraywright.kernel.driver.scan

import dev.arraywright.hardware.device.block.BlockSpecialDriver
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.memory.MemoryDriver
import dev.arraywright.hardware.nbd.client.NbdDriver
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.spi.driver.StorageDriver
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import java.net.URLClassLoader
import kotlin.io.path.div
import kotlin.random.Random

class AnnotationReaderSpec : StringSpec({
    val file = tempdir().toPath() / "scanned.jar"

    "what is left out is what the annotation's defaults are" {
        val setting = """@DriverSetting(name = "s", description = "S")"""
        for (annotation in listOf("supportedDevices = {}", """supportedDevices = "ram", settings = $setting""")) {
            val scanned = DriverScanner().infos(ramJar(annotation).writeTo(file)).single()
            URLClassLoader(arrayOf(file.toUri().toURL()), javaClass.classLoader).use { loader ->
                val announced = loader.loadClass(RAM).getAnnotation(StorageDriver::class.java)
                scanned shouldBe DriverInfo.of(announced, RAM)
            }
        }
    }

    "the built-in drivers' class files say what their annotations do" {
        val types = listOf(FileDriver::class, BlockSpecialDriver::class, MemoryDriver::class, NbdDriver::class)
        for (type in types.map { it.java }) {
            val entry = DriverJar.entryOf(type.name)
            val bytes = checkNotNull(type.classLoader.getResourceAsStream(entry)).use { it.readBytes() }
            val scanned = AnnotationReader.read(ScannedClass.of(entry.removeSuffix(".class"), entry, bytes))
            scanned shouldBe DriverInfo.of(type.getAnnotation(StorageDriver::class.java), type.name)
        }
    }

    "bytes are searched as by hand" {
        val random = Random(7)
        repeat(2_000) {
            val text = String(CharArray(random.nextInt(1, 6)) { 'a' + random.nextInt(3) })
            val bytes = ByteArray(random.nextInt(40)) { ('a' + random.nextInt(3)).code.toByte() }
            val length = random.nextInt(bytes.size + 1)
            ByteSearch(text).isIn(bytes, length) shouldBe (text in String(bytes, 0, length))
        }
    }
})
