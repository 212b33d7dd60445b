package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.testing.Peers
import dev.arraywright.spi.testing.ResidentDriverContract
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeEach
import java.nio.file.Path
import kotlin.io.path.deleteExisting

class BlockSpecialDriverContractTest : ResidentDriverContract() {
    private lateinit var file: Path
    private lateinit var loop: LoopDevice

    @BeforeEach
    fun attach() {
        val missing = Peers.missing(Peers.LOOP)
        assumeTrue(missing == null, missing)
        file = scratchFile(1L shl 20)
        loop = LoopDevice(file)
    }

    @AfterEach
    fun detach() {
        if (!::loop.isInitialized) return
        loop.close()
        file.deleteExisting()
        file.parent.deleteExisting()
    }

    override fun driver(): Class<out Driver> = BlockSpecialDriver::class.java

    override fun present(): StorageAddress = StorageAddress.Block(loop.path)

    override fun missing(): StorageAddress = StorageAddress.Block("/dev/no-such-disk")

    override fun malformed(): List<StorageAddress> = listOf(StorageAddress.Block("$file"), StorageAddress.Block("/dev"))
}
