package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.BlockDeviceContract
import dev.arraywright.spi.testing.Peers
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assumptions.assumeTrue
import java.nio.file.Path
import kotlin.io.path.deleteExisting

abstract class LoopDeviceContract(private vararg val losetup: String) : BlockDeviceContract() {
    private lateinit var file: Path
    private var loop: LoopDevice? = null

    override fun open(size: Long): BlockDevice {
        val missing = Peers.missing(Peers.LOOP)
        assumeTrue(missing == null, missing)
        file = scratchFile(size)
        val loop = LoopDevice(file, *losetup).also { this.loop = it }
        return BlockSpecialDriver().ready().open("block:${loop.path}")
    }

    override fun reopenReadOnly(): BlockDevice =
        BlockSpecialDriver().ready().open("block:${checkNotNull(loop).path}", OpenOptions.READ_ONLY)

    // Runs before the contract's own @AfterEach: detaching waits for the last close by itself.
    @AfterEach
    fun detach() {
        loop?.close() ?: return
        file.deleteExisting()
        file.parent.deleteExisting()
    }
}

class BlockSpecialDeviceContractTest : LoopDeviceContract()

class LargeSectorDeviceContractTest : LoopDeviceContract("--sector-size", "4096")
