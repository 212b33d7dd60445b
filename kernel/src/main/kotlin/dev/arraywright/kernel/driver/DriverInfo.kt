package dev.arraywright.kernel.driver

import dev.arraywright.spi.driver.StorageDriver

/**
 * What a driver announces by its [StorageDriver]; equal ones announce the same.
 *
 * @property supportedDevices address schemes (`file`) and, with a colon, hardware patterns (`block:nvme*`)
 * @property minimumPlatform the oldest Arraywright it works with
 * @property autoLoad whether it is loaded as soon as it is found
 * @property entryType the binary name of its class
 * @property requires other drivers that have to run before it
 * @property settings what it takes from the configuration
 * @property opensBeside whether its devices may be opened while another instance of it serves them
 */
public data class DriverInfo(
    public val name: String,
    public val description: String,
    public val version: DriverVersion,
    public val supportedDevices: List<String>,
    public val minimumPlatform: DriverVersion,
    public val autoLoad: Boolean,
    public val entryType: String,
    public val requires: List<DriverRequirement> = emptyList(),
    public val settings: List<DeclaredSetting> = emptyList(),
    public val opensBeside: Boolean = false,
) {
    init {
        requireDriverName(name)
        requireOneLine("the description", description)
        supportedDevices.forEach {
            require(DEVICES.matches(it)) {
                "${shown(it)} is neither an address scheme such as file nor a hardware pattern such as block:nvme*"
            }
        }
        requireOnce("the supported devices name", supportedDevices)
        require(listOf(supportedDevices, requires, settings).all { it.size <= MOST }) {
            "it names more than $MOST supported devices, requirements or settings"
        }
        require(entryType.isNotEmpty()) { "the entry type is empty" }
        requireOnce("it requires", requires.map { it.name })
        require(requires.none { it.name == name }) { "it requires itself" }
        requireOnce("the settings name", settings.map { it.name })
    }

    /** The schemes among [supportedDevices]. */
    public val schemes: List<String> get() = supportedDevices.filter { ':' !in it }

    /** The hardware patterns among [supportedDevices]. */
    public val hardwarePatterns: List<String> get() = supportedDevices.filter { ':' in it }

    /** For a log line: name and version. */
    override fun toString(): String = "$name $version"

    public companion object {
        /**
         * What the annotation of a loaded class says, such as a built-in driver's.
         *
         * @throws IllegalArgumentException if that makes no sense, in words for an operator
         */
        public fun of(announced: StorageDriver, entryType: String): DriverInfo = DriverInfo(
            announced.name,
            announced.description,
            DriverVersion.parse(announced.version),
            announced.supportedDevices.toList(),
            DriverVersion.parse(announced.minimumPlatform),
            announced.autoLoad,
            entryType,
            announced.requires.map(DriverRequirement::parse),
            announced.settings.map(DeclaredSetting::of),
            announced.opensBeside,
        )

        private const val MOST = 256
        private val DEVICES = Regex("[a-z][a-z0-9+.-]{0,63}(:[!-~]{1,255})?")

        private fun requireOnce(what: String, names: List<String>) {
            val twice = names.groupingBy { it }.eachCount().filterValues { it > 1 }.keys
            require(twice.isEmpty()) { "$what ${shown(twice.first())} twice" }
        }
    }
}
