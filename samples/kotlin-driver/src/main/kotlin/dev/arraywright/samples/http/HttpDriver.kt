package dev.arraywright.samples.http

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.DriverSetting
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import java.net.URI
import java.net.URISyntaxException

/**
 * Objects on HTTP servers as devices: read by ranges from any server that has them, and written by partial PUT on
 * servers that take that. Every device has threads of its own; the driver has none.
 */
@StorageDriver(
    name = "http",
    description = "Objects on HTTP servers, read and written by ranges",
    version = "0.1.0",
    supportedDevices = ["http", "https"],
    settings = [
        DriverSetting(
            name = "timeout",
            description = "How long a call may take, repetitions included",
            type = DriverSetting.Type.DURATION,
            defaultValue = "10s",
        ),
        DriverSetting(
            name = "concurrency",
            description = "Requests to a device at once: 1 to 64",
            type = DriverSetting.Type.INTEGER,
            defaultValue = "8",
        ),
        DriverSetting(
            name = "writes",
            description = "partial-put where servers take PUT with Content-Range; others may lose the object by it",
            defaultValue = "never",
            choices = ["never", "partial-put"],
        ),
    ],
)
public class HttpDriver : Driver {
    @Volatile private var settings = HttpSettings()

    override fun initialize(context: DriverContext) {
        settings = HttpSettings.of(context.settings())
    }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val url = url(address)
        val current = settings
        if (!options.readOnly() && !current.writes) {
            throw DriverException(
                Reason.READ_ONLY,
                "$address can only be read: writing is not allowed to the http driver",
                "open it read-only, or set writes=partial-put if the server takes PUT with Content-Range",
            )
        }
        return HttpDevice.open(url, options.readOnly(), current)
    }

    /** Counts for devices opened from now on. */
    override fun reconfigure(settings: Map<String, String>): Boolean {
        this.settings = HttpSettings.of(settings)
        return true
    }

    override fun close() {}

    private fun url(address: StorageAddress): URI {
        if (address.scheme() != "http" && address.scheme() != "https") {
            throw DriverException(Reason.UNSUPPORTED, "$address is no HTTP address", FORM)
        }
        val url = try {
            URI(address.toString())
        } catch (e: URISyntaxException) {
            throw DriverException(Reason.INVALID, "$address makes no sense: ${e.reason}", FORM, e)
        }
        val why = when {
            url.host == null -> "it has no host"
            url.rawUserInfo != null -> "it holds a password, which addresses show to everybody"
            url.rawFragment != null -> "it has a part after '#'"
            url.port > 65535 || url.port == 0 -> "it has no such port"
            else -> return url
        }
        throw DriverException(Reason.INVALID, "$address makes no sense: $why", FORM)
    }

    private companion object {
        const val FORM = "write http://host/path or https://host:port/path"
    }
}
