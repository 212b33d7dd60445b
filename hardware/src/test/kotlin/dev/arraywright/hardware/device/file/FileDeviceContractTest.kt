package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.BlockDeviceContract
import org.junit.jupiter.api.AfterEach
import java.nio.file.Path
import kotlin.io.path.deleteExisting

abstract class FileDeviceContract(private val options: OpenOptions) : BlockDeviceContract() {
    private lateinit var path: Path

    override fun open(size: Long): BlockDevice {
        path = scratchFile(size)
        return FileDriver().ready().open("file:$path", options)
    }

    override fun reopenReadOnly(): BlockDevice =
        FileDriver().ready().open("file:$path", OpenOptions(true, options.directIo()))

    @AfterEach
    fun delete() {
        path.deleteExisting()
        path.parent.deleteExisting()
    }
}

class FileDeviceContractTest : FileDeviceContract(OpenOptions.DEFAULT)

class BufferedFileDeviceContractTest : FileDeviceContract(OpenOptions(false, false))
