package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.server.NbdEndpoint
import dev.arraywright.hardware.nbd.server.NbdExport
import dev.arraywright.hardware.nbd.server.NbdLimits
import dev.arraywright.hardware.nbd.server.NbdServer
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.testing.ResidentDriverContract
import org.junit.jupiter.api.AfterEach

/** NBD itself has no claims, hence neither has the driver. */
class NbdDriverContractTest : ResidentDriverContract() {
    private val server = NbdServer.start(NbdEndpoint.Tcp(port = 0), NbdLimits(maxPayload = 1 shl 20), CountingBuffers())

    init {
        server.export(NbdExport("disk", StrictMemory(1L shl 20, block = 512)))
    }

    override fun driver(): Class<out Driver> = NbdDriver::class.java

    override fun present(): StorageAddress = StorageAddress.Nbd("127.0.0.1", server.port, "disk")

    override fun missing(): StorageAddress = StorageAddress.Nbd("127.0.0.1", server.port, "none")

    override fun claims(): Boolean = false

    @AfterEach
    fun stop() = server.close()
}
