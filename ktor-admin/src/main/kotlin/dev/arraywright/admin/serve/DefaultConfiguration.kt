package dev.arraywright.admin.serve

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.StorageAddress
import java.nio.file.Path
import kotlin.io.path.createDirectories

/**
 * What `serve` makes where there is no configuration: below a data directory, `arraywright.json` and six sparse files
 * of 256 MiB, a RAID-6 of five and a spare, exported as `vault`.
 */
internal object DefaultConfiguration {
    const val NAME = "vault"
    const val FILES = 6
    private const val IN_ARRAY = 5
    private const val FILE_SIZE = 256L shl 20

    fun file(data: Path): Path = data.resolve("arraywright.json")

    /** Creates files and array, stops the array again and writes the configuration, the last step. */
    suspend fun make(kernel: ArraywrightKernel, data: Path): ConfigurationFile {
        data.createDirectories()
        val members = List(FILES) { StorageAddress.File("${data.resolve("m$it.img")}").toString() }
        val spec = ArraySpec(
            name = NAME,
            level = RaidLevel.RAID6,
            members = members.take(IN_ARRAY),
            spares = members.drop(IN_ARRAY),
            // New sparse files read as zeroes, and so does their parity.
            assumeClean = true,
            createFilesOf = FILE_SIZE,
        )
        kernel.createArray(spec)
        kernel.stopArray(NAME)
        val configuration = Configuration(listOf(ArrayConfiguration(NAME, members, ExportConfiguration(NAME))))
        return ConfigurationFile.create(file(data), configuration)
    }
}
