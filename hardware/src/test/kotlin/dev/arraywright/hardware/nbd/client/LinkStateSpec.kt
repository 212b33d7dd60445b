package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.client.LinkEvent.Broken
import dev.arraywright.hardware.nbd.client.LinkEvent.Close
import dev.arraywright.hardware.nbd.client.LinkEvent.Established
import dev.arraywright.hardware.nbd.client.LinkEvent.Lost
import dev.arraywright.hardware.nbd.client.LinkEvent.OutOfTime
import dev.arraywright.hardware.nbd.client.LinkState.Closed
import dev.arraywright.hardware.nbd.client.LinkState.Connected
import dev.arraywright.hardware.nbd.client.LinkState.Connecting
import dev.arraywright.hardware.nbd.client.LinkState.Gone
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class LinkStateSpec : StringSpec({
    val events =
        listOf(Established, Lost("x", atRisk = false), Lost("x", atRisk = true), Broken("x"), OutOfTime("x"), Close)
    val gone = Gone("before")
    val table = mapOf(
        Connecting to listOf("Connected", "Connecting", "Gone", "Gone", "Gone", "Closed"),
        Connected to listOf("Connected", "Connecting", "Gone", "Gone", "Connected", "Closed"),
        gone to listOf("Gone", "Gone", "Gone", "Gone", "Gone", "Closed"),
        Closed to List(6) { "Closed" },
    )

    "every state does with every event what the table says" {
        for ((state, row) in table) {
            for ((event, expected) in events.zip(row)) {
                withClue("$state, $event") { state.next(event)::class.simpleName shouldBe expected }
            }
        }
    }

    "the first reason for being gone stays" {
        gone.next(Broken("later")) shouldBe gone
    }
})
