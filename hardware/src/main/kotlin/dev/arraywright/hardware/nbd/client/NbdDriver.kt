package dev.arraywright.hardware.nbd.client

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.DriverSetting
import dev.arraywright.spi.driver.DriverSetting.Type
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import kotlin.time.Duration

/**
 * Exports of NBD servers as devices.
 * NBD has no claims: that nobody else writes to the export is the operator's to see to.
 */
@StorageDriver(
    name = "nbd",
    description = "Exports of NBD servers, over TCP or a Unix socket",
    version = "0.1.0",
    supportedDevices = ["nbd", "nbd+unix"],
    settings = [
        DriverSetting(
            name = "connect",
            description = "How long it may take to reach a server and agree on the export",
            type = Type.DURATION,
            defaultValue = "10s",
        ),
        DriverSetting(
            name = "request",
            description = "How long to wait for an answer",
            type = Type.DURATION,
            defaultValue = "30s",
        ),
        DriverSetting(
            name = "reconnect",
            description = "How long to try again after a lost connection",
            type = Type.DURATION,
            defaultValue = "30s",
        ),
    ],
)
public class NbdDriver : Driver {
    private var options = NbdClientOptions()

    override fun initialize(context: DriverContext) {
        val settings = context.settings()
        val base = NbdClientOptions()
        options = try {
            NbdClientOptions(
                connect = settings["connect"]?.let(Duration::parse) ?: base.connect,
                request = settings["request"]?.let(Duration::parse) ?: base.request,
                reconnect = settings["reconnect"]?.let(Duration::parse) ?: base.reconnect,
            )
        } catch (e: IllegalArgumentException) {
            throw DriverException(
                Reason.INVALID,
                "a setting of the nbd driver makes no sense: ${e.message}",
                "write durations as 500ms, 30s or 2m",
                e,
            )
        }
    }

    /** An [NbdBlockDevice]. */
    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        if (address !is StorageAddress.Nbd && address !is StorageAddress.NbdUnix) {
            throw DriverException(Reason.UNSUPPORTED, "$address is no NBD address", "write nbd://host/export")
        }
        return NbdBlockDevice(NbdDevice.open(address, options.readOnly(), this.options))
    }

    override fun close() {}
}
