package dev.arraywright.admin.console

import dev.arraywright.kernel.spare.RebuildView
import dev.arraywright.kernel.spare.ScrubView
import dev.arraywright.kernel.spare.SpareView
import dev.arraywright.spi.device.ByteSize
import java.util.Locale
import kotlin.time.Duration.Companion.seconds

/** Spares, rebuilds and scrubs as they are printed. */
internal object ProtectionText {
    fun spares(spares: List<SpareView>): String {
        if (spares.isEmpty()) return "there is no spare"
        val rows = spares.flatMap { spare ->
            val own = listOf(
                spare.address,
                if (spare.health == AWAITED) "-" else ByteSize.format(spare.size),
                spare.array ?: "all",
                spare.domain ?: "-",
                spare.health + spare.checked?.let { " ($it)" }.orEmpty(),
            )
            val verdicts = spare.verdicts.map { "${it.array}: ${if (it.eligible) "eligible" else "no, ${it.why}"}" }
            listOf(own + verdicts.firstOrNull().orEmpty()) + verdicts.drop(1).map { List(own.size) { "" } + it }
        }
        return Table.of(listOf("Spare", "Size", "For", "Domain", "Health", "Eligible"), rows)
    }

    fun rebuilds(rebuilds: List<RebuildView>): String {
        if (rebuilds.isEmpty()) return "nothing is rebuilt"
        val heading = listOf("Id", "Array", "Slot", "Kind", "Done", "Rate", "Left", "Phase", "Onto")
        return Table.of(
            heading,
            rebuilds.map {
                listOf(
                    it.id,
                    it.array,
                    "${it.slot}",
                    it.kind,
                    percent(it.done, it.total),
                    rate(it.rate),
                    left(it.remainingSeconds) ?: "-",
                    it.phase,
                    it.replacement + it.error?.let { why -> "  $why" }.orEmpty(),
                )
            },
        )
    }

    /** How far a rebuild is, in one line; the time that is left only where it is known. */
    fun line(rebuild: RebuildView): String = listOfNotNull(
        "${rebuild.kind} ${percent(rebuild.done, rebuild.total)} of slot ${rebuild.slot} onto ${rebuild.replacement}",
        rebuild.phase,
        rate(rebuild.rate),
        left(rebuild.remainingSeconds)?.let { "$it left" },
        rebuild.error,
    ).joinToString()

    fun line(scrub: ScrubView): String = listOfNotNull(
        "${scrub.mode} ${percent(scrub.done, scrub.total)}",
        scrub.phase,
        "${scrub.mismatches} mismatches",
        "${scrub.repaired} repaired",
        scrub.unreadable.takeIf { it > 0 }?.let { "$it unreadable" },
        rate(scrub.rate).takeIf { scrub.phase == RUNNING },
        left(scrub.remainingSeconds)?.let { "$it left" },
        scrub.error,
    ).joinToString()

    /** A scrub with the places that it found: where in the array, and which member is wrong where that is known. */
    fun report(scrub: ScrubView): String {
        val head = "${scrub.array}: ${line(scrub)}"
        if (scrub.places.isEmpty()) return head
        val rows = scrub.places.map {
            listOf("${it.offset}", "${it.length}", it.wrong?.let { slot -> "$slot" } ?: "-", it.what)
        }
        return "$head\n" + Table.of(listOf("Offset", "Bytes", "Wrong slot", "What"), rows)
    }

    private fun percent(done: Long, total: Long): String =
        String.format(Locale.ROOT, "%.1f%%", if (total == 0L) 0.0 else done * 100.0 / total)

    private fun rate(rate: Long) = "${DetailText.rounded(rate)}/s"

    private fun left(seconds: Long?) = seconds?.seconds?.toString()

    const val RUNNING = "running"

    /** The health of a spare that is not there yet. */
    const val AWAITED = "awaited"
}
