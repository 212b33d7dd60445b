package dev.arraywright.samples.http

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.BlockDeviceContract
import dev.arraywright.spi.testing.DriverContract
import org.junit.jupiter.api.AfterEach

/** HTTP has no claims; that somebody else writes is noticed, but cannot be kept from happening. */
class HttpDriverContractTest : DriverContract() {
    private val server = ObjectServer(1 shl 20)

    override fun driver(): Class<out Driver> = HttpDriver::class.java

    override fun present(): StorageAddress = server.address

    override fun missing(): StorageAddress = server.missing

    override fun settings(): Map<String, String> = mapOf("writes" to "partial-put")

    override fun claims(): Boolean = false

    override fun malformed(): List<StorageAddress> = listOf(
        "http:nothing",
        "http:///path",
        "http://user:secret@host/path",
        "http://host:99999/path",
        "http://host/a b",
        "${server.address}#part",
    ).map(StorageAddress::parse)

    @AfterEach
    fun stop() = server.close()
}

class HttpDeviceContractTest : BlockDeviceContract() {
    private lateinit var server: ObjectServer

    override fun open(size: Long): BlockDevice {
        server = ObjectServer(size.toInt())
        return server.open()
    }

    override fun reopenReadOnly(): BlockDevice = server.open(OpenOptions.READ_ONLY)

    @AfterEach
    fun stop() = server.close()
}
