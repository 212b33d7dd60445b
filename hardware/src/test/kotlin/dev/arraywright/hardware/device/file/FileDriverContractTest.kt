package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.testing.ResidentDriverContract
import org.junit.jupiter.api.AfterEach

class FileDriverContractTest : ResidentDriverContract() {
    private val directory = scratchDirectory()
    private val file = scratchFile(1L shl 20, directory = directory)
    private val odd = scratchFile(1000, "odd.img", directory)

    override fun driver(): Class<out Driver> = FileDriver::class.java

    override fun present(): StorageAddress = StorageAddress.File("$file")

    override fun missing(): StorageAddress = StorageAddress.File("$directory/none.img")

    override fun malformed(): List<StorageAddress> =
        listOf(StorageAddress.File("$directory"), StorageAddress.File("$odd"))

    @AfterEach
    fun delete() {
        directory.toFile().deleteRecursively()
    }
}
