package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.contentOrNull
import java.io.IOException
import kotlin.time.Instant

/** A text that smartctl did not write. */
internal class SmartctlFormatException(message: String, cause: Throwable? = null) : IOException(message, cause)

/**
 * What smartctl said.
 *
 * @property exit its exit status as it knew it itself
 * @property supported false if the device has no SMART at all
 */
internal data class SmartctlAnswer(
    val exit: Int?,
    val messages: List<String>,
    val supported: Boolean?,
    val reading: HealthReading,
)

/**
 * The JSON of `smartctl --json`: objects by what they are about (`smart_status`, `temperature`, `power_on_time`), and
 * one of `ata_smart_attributes`, `nvme_smart_health_information_log` or `scsi_…`. Which there are differs by device and
 * version, so all is looked for and nothing is demanded; what has an unexpected form is as if it were not there.
 */
internal object SmartctlParser {
    private const val SCSI_UNITS = 1_000_000_000L

    /** Throws [SmartctlFormatException]. */
    fun parse(text: String, time: Instant): SmartctlAnswer {
        val root = try {
            Json.parseToJsonElement(text) as? JsonObject
        } catch (e: SerializationException) {
            throw SmartctlFormatException("smartctl's answer is not JSON", e)
        } ?: throw SmartctlFormatException("smartctl's answer is not an object")
        val smartctl = root["smartctl"] ?: throw SmartctlFormatException("smartctl's answer is not about itself")
        val messages = (smartctl["messages"] as? JsonArray).orEmpty().mapNotNull { it["string"].text }
        return SmartctlAnswer(
            exit = smartctl["exit_status"].int,
            messages = messages,
            supported = root["smart_support"]["available"].boolean,
            reading = reading(root, time),
        )
    }

    private fun reading(root: JsonObject, time: Instant): HealthReading {
        val temperature = root["temperature"]
        val common = HealthReading(
            time = time,
            sources = setOf(HealthSource.SMARTCTL),
            passed = root["smart_status"]["passed"].boolean,
            temperature = temperature["current"].celsius,
            warningTemperature = temperature["op_limit_max"].celsius,
            criticalTemperature = (temperature["critical_limit_max"] ?: temperature["drive_trip"]).celsius,
            powerOnHours = root["power_on_time"]["hours"].count,
            percentageUsed = root["endurance_used"]["current_percent"].used,
            availableSpare = root["spare_available"]["current_percent"].percent,
            spareThreshold = root["spare_available"]["threshold_percent"].percent,
        )
        val nvme = root["nvme_smart_health_information_log"]
        return when {
            nvme != null -> nvme(nvme, common)
            root["ata_smart_attributes"] != null -> ata(root, common)
            else -> scsi(root, common)
        }
    }

    private fun nvme(log: JsonElement, common: HealthReading): HealthReading = common.copy(
        criticalWarning = log["critical_warning"].int?.let(NvmeHealthLogParser::warnings),
        temperature = common.temperature ?: log["temperature"].celsius,
        availableSpare = common.availableSpare ?: log["available_spare"].percent,
        spareThreshold = common.spareThreshold ?: log["available_spare_threshold"].percent,
        percentageUsed = common.percentageUsed ?: log["percentage_used"].used,
        bytesRead = log["data_units_read"].count?.let(NvmeHealthLogParser::units),
        bytesWritten = log["data_units_written"].count?.let(NvmeHealthLogParser::units),
        powerOnHours = common.powerOnHours ?: log["power_on_hours"].count,
        unsafeShutdowns = log["unsafe_shutdowns"].count,
        mediaErrors = log["media_errors"].count,
    )

    private fun ata(root: JsonObject, common: HealthReading): HealthReading {
        val table = (root["ata_smart_attributes"]["table"] as? JsonArray).orEmpty().mapNotNull { entry ->
            AtaAttribute(
                id = entry["id"].int ?: return@mapNotNull null,
                name = entry["name"].text.orEmpty(),
                value = entry["value"].int,
                threshold = entry["thresh"].int,
                // The raw figure may be several in one number; the text begins with the one that counts.
                raw = entry["raw"]["string"].text?.leadingNumber() ?: entry["raw"]["value"].count,
                failing = entry["when_failed"].text == "now" && entry["flags"]["prefailure"].boolean == true,
            )
        }
        return AtaAttributes(table).on(common, root["logical_block_size"].count?.takeIf { it in 1..65536 } ?: 512)
    }

    private fun scsi(root: JsonObject, common: HealthReading): HealthReading {
        val errors = root["scsi_error_counter_log"]
        val lost = listOf("read", "write", "verify").mapNotNull { errors[it]["total_uncorrected_errors"].count }
        return common.copy(
            reallocatedSectors = root["scsi_grown_defect_list"].count,
            percentageUsed = common.percentageUsed ?: root["scsi_percentage_used_endurance_indicator"].used,
            mediaErrors = lost.reduceOrNull { a, b -> if (a > Long.MAX_VALUE - b) Long.MAX_VALUE else a + b },
            bytesRead = gigabytes(errors["read"]),
            bytesWritten = gigabytes(errors["write"]),
        )
    }

    private fun gigabytes(counter: JsonElement?): Long? =
        counter["gigabytes_processed"].text?.toDoubleOrNull()?.takeIf { it >= 0 }?.let { (it * SCSI_UNITS).toLong() }

    private operator fun JsonElement?.get(key: String): JsonElement? = (this as? JsonObject)?.get(key)

    private val JsonElement?.text: String? get() = (this as? JsonPrimitive)?.contentOrNull

    private val JsonElement?.boolean: Boolean? get() = (this as? JsonPrimitive)?.booleanOrNull

    private val JsonElement?.int: Int? get() = (this as? JsonPrimitive)?.content?.toIntOrNull()

    private val JsonElement?.percent: Int? get() = int?.takeIf { it in 0..100 }

    private val JsonElement?.used: Int? get() = int?.takeIf { it in 0..255 }

    private val JsonElement?.celsius: Int? get() = int?.takeIf { it in -100..300 && it != 0 }

    /** A number that is not negative; beyond the largest `Long`, that. */
    private val JsonElement?.count: Long?
        get() {
            val text = text?.takeIf { digits -> digits.isNotEmpty() && digits.all { it in '0'..'9' } } ?: return null
            return text.toLongOrNull() ?: Long.MAX_VALUE
        }

    private fun String.leadingNumber(): Long? {
        val digits = takeWhile { it in '0'..'9' }
        return if (digits.isEmpty()) null else digits.toLongOrNull() ?: Long.MAX_VALUE
    }
}
