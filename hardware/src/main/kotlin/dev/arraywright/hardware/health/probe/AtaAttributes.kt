package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthReading

/**
 * An ATA SMART attribute: the maker's [value] (mostly 100 falling to [threshold]) and the raw figure, as far as it is
 * one.
 */
internal data class AtaAttribute(
    val id: Int,
    val name: String,
    val value: Int?,
    val threshold: Int?,
    val raw: Long?,
    val failing: Boolean,
)

/**
 * What ATA SMART attributes mean. The numbers 5, 9, 187, 194, 197 and 198 mean the same with all makers; what wears an
 * SSD out does not, so these go by the names of smartmontools' drive database.
 */
internal class AtaAttributes(private val table: List<AtaAttribute>) {
    fun on(reading: HealthReading, blockSize: Long): HealthReading {
        val spare = table.firstOrNull { it.name in SPARE && it.value in 0..100 }
        return reading.copy(
            temperature = reading.temperature ?: (raw(194) ?: raw(190))?.takeIf { it in 1..200 }?.toInt(),
            powerOnHours = reading.powerOnHours ?: raw(9),
            reallocatedSectors = raw(5),
            pendingSectors = raw(197),
            uncorrectableSectors = raw(198),
            mediaErrors = reading.mediaErrors ?: raw(187),
            percentageUsed = reading.percentageUsed
                ?: table.firstOrNull { it.name in LIFE_LEFT && it.value in 0..100 }?.value?.let { 100 - it },
            availableSpare = reading.availableSpare ?: spare?.value,
            spareThreshold = reading.spareThreshold ?: spare?.threshold?.takeIf { it in 1..100 },
            unsafeShutdowns = reading.unsafeShutdowns ?: table.firstOrNull { it.name in POWER_LOSS }?.raw,
            bytesRead = transferred("Read", blockSize),
            bytesWritten = transferred("Writ", blockSize),
            passed = if (table.any { it.failing }) false else reading.passed,
        )
    }

    private fun raw(id: Int): Long? = table.firstOrNull { it.id == id }?.raw

    /** Makers count in units of their own, which the database puts into the name. */
    private fun transferred(direction: String, blockSize: Long): Long? {
        val attribute = table.firstOrNull { it.id in TRANSFERRED && direction in it.name } ?: return null
        val unit = when {
            attribute.name.startsWith("Total_LBAs") -> blockSize
            attribute.name.endsWith("_32MiB") -> 32L shl 20
            attribute.name.endsWith("_GiB") || attribute.name.endsWith("_GB") -> 1L shl 30
            else -> return null
        }
        val count = attribute.raw ?: return null
        return if (count > Long.MAX_VALUE / unit) Long.MAX_VALUE else count * unit
    }

    private companion object {
        val TRANSFERRED = 241..249
        val LIFE_LEFT = setOf(
            "Media_Wearout_Indicator",
            "Wear_Leveling_Count",
            "SSD_Life_Left",
            "Percent_Lifetime_Remain",
            "Percent_Life_Remaining",
            "Remaining_Lifetime_Perc",
            "Drive_Life_Remaining%",
        )
        val SPARE = setOf("Available_Reservd_Space", "Used_Rsvd_Blk_Cnt_Tot", "Unused_Rsvd_Blk_Cnt_Tot")
        val POWER_LOSS = setOf(
            "Unexpect_Power_Loss_Ct",
            "Unsafe_Shutdown_Count",
            "POR_Recovery_Count",
            "Power-Off_Retract_Count",
        )
    }
}
