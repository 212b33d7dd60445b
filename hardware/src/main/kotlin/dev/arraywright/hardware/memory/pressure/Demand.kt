package dev.arraywright.hardware.memory.pressure

import dev.arraywright.spi.memory.MemoryPressure.Level

/**
 * What one source asks for at one moment.
 *
 * @property level how urgent
 * @property floor the level below which things must get before this one is over, never below [level]: between both lies
 *   the band in which pressure neither begins nor ends
 * @property bytes how much giving back would end the shortfall
 */
internal data class Demand(val source: String, val level: Level, val floor: Level, val bytes: Long) {
    init {
        require(floor >= level && bytes >= 0) { "not a demand: $this" }
        require(level != Level.NONE || bytes == 0L) { "no pressure asks for nothing: $this" }
    }

    companion object {
        fun none(source: String): Demand = Demand(source, Level.NONE, Level.NONE, 0)

        /**
         * [available] bytes are left where [reserve] should be, for which the demand is what is missing: the more of
         * the reserve that is, the higher the level. [available] is negative where a limit is passed.
         */
        fun ofShortfall(source: String, available: Long, reserve: Long, band: Double): Demand {
            val level = level(available.toDouble(), reserve)
            val floor = level(if (available < 0) available.toDouble() else available / (1 + band), reserve)
            return Demand(source, level, floor, if (level == Level.NONE) 0 else reserve - available)
        }

        /** Work stood still for [share] of the time, which is worth as large a part of what is [reclaimable]. */
        fun ofStall(source: String, share: Double, least: Double, reclaimable: Long): Demand {
            val level = stallLevel(share, least)
            val bytes = if (level == Level.NONE) 0 else (share.coerceAtMost(1.0) * reclaimable).toLong()
            return Demand(source, level, stallLevel(share * 2, least), bytes)
        }

        private fun level(available: Double, reserve: Long): Level =
            when {
                available >= reserve -> Level.NONE
                available >= reserve * (2.0 / 3) -> Level.LOW
                available >= reserve * (1.0 / 3) -> Level.MEDIUM
                else -> Level.CRITICAL
            }

        private fun stallLevel(share: Double, least: Double): Level =
            when {
                share < least -> Level.NONE
                share < maxOf(least, 0.25) -> Level.LOW
                share < maxOf(least, 0.60) -> Level.MEDIUM
                else -> Level.CRITICAL
            }
    }
}
