package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.server.NbdEndpoint
import dev.arraywright.hardware.nbd.server.NbdExport
import dev.arraywright.hardware.nbd.server.NbdLimits
import dev.arraywright.hardware.nbd.server.NbdServer
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.testing.BlockDeviceContract
import org.junit.jupiter.api.AfterEach

/** The blocking face of a remote device, with our own server behind it, is a device like any other. */
class NbdDeviceContractTest : BlockDeviceContract() {
    private val server = NbdServer.start(NbdEndpoint.Tcp(port = 0), NbdLimits(maxPayload = 1 shl 20), CountingBuffers())
    private val address = StorageAddress.Nbd("127.0.0.1", server.port, "disk")

    override fun open(size: Long): BlockDevice {
        server.export(NbdExport("disk", StrictMemory(size, block = 512)))
        return NbdBlockDevice(NbdDevice.open(address))
    }

    override fun reopenReadOnly(): BlockDevice = NbdBlockDevice(NbdDevice.open(address, readOnly = true))

    @AfterEach
    fun stop() = server.close()
}
