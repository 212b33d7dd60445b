package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.plain
import dev.arraywright.kernel.driver.shown
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.builtins.ListSerializer
import kotlinx.serialization.json.Json

/**
 * One driver in `META-INF/arraywright/driver.json`, which spares the scan of all classes. It has to agree with the
 * class's `@StorageDriver`; what may be left out is then what that says.
 *
 * ```
 * { "id": "overlay", "entryType": "org.example.Overlay", "version": "1.0.0", "requires": [ "fabric ^1.2" ] }
 * ```
 *
 * Several drivers are an array of such.
 */
@Serializable
@SerialName("driver")
internal data class DriverDescriptor(
    val id: String,
    val entryType: String,
    val version: String,
    val requires: List<String>? = null,
    val description: String? = null,
    val supportedDevices: List<String>? = null,
    val minimumPlatform: String? = null,
    val autoLoad: Boolean? = null,
    val opensBeside: Boolean? = null,
) {
    /** @throws UnfitJar naming the first value that is not what the annotation says */
    fun requireAgreement(info: DriverInfo) {
        agree(info, "id", id, info.name)
        agree(info, "entryType", entryType, info.entryType)
        agree(info, "version", version, info.version.toString())
        agree(info, "requires", requires?.map(::canonical)?.sorted(), info.requires.map { "$it" }.sorted())
        agree(info, "description", description, info.description)
        agree(info, "supportedDevices", supportedDevices?.sorted(), info.supportedDevices.sorted())
        agree(info, "minimumPlatform", minimumPlatform, info.minimumPlatform.toString())
        agree(info, "autoLoad", autoLoad, info.autoLoad)
        agree(info, "opensBeside", opensBeside, info.opensBeside)
    }

    private fun agree(info: DriverInfo, key: String, here: Any?, there: Any) {
        if (here != null && here != there) {
            throw UnfitJar(
                "contradicts itself: the $key of ${info.entryType} is ${shown("$here")} in $ENTRY " +
                    "and ${shown("$there")} in its @StorageDriver",
            )
        }
    }

    /** Two ways to write a requirement are no contradiction; what is none is one. */
    private fun canonical(requirement: String): String = try {
        DriverRequirement.parse(requirement).toString()
    } catch (_: IllegalArgumentException) {
        requirement
    }

    companion object {
        const val ENTRY = "META-INF/arraywright/driver.json"

        /** What the jar lists; null if it has no descriptor. */
        fun read(jar: BoundedJar): List<DriverDescriptor>? {
            val bytes = jar.read(ENTRY, JarLimits.TEXT_SIZE) ?: return null
            val listed = try {
                val text = bytes.decodeToString(throwOnInvalidSequence = true)
                if (text.trimStart().startsWith('[')) {
                    Json.decodeFromString(ListSerializer(serializer()), text)
                } else {
                    listOf(Json.decodeFromString(serializer(), text))
                }
            } catch (e: CharacterCodingException) {
                throw UnfitJar("has a bad $ENTRY: it is not UTF-8", e)
            } catch (e: SerializationException) {
                throw UnfitJar("has a bad $ENTRY: ${plain(e.message.orEmpty().lineSequence().first())}", e)
            }
            if (listed.isEmpty()) throw UnfitJar("has a bad $ENTRY: it lists no driver")
            return listed
        }
    }
}
