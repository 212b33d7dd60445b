package dev.arraywright.kernel.driver.lifecycle

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class DriverStateSpec : StringSpec({
    val table = """
        Discovered   Discovered  Rejected  Loading  -            -             -         -         Unloaded   -       -
        Rejected     Discovered  Rejected  Loading  -            -             -         -         Unloaded   -       -
        Loading      -           -         -        Loaded       -             -         -         -          Failed  -
        Loaded       -           -         -        -            Initializing  -         -         Unloading  Failed  -
        Initializing -           -         -        Initialized  -             -         -         -          Failed  -
        Initialized  -           -         -        -            -             Starting  -         Unloading  Failed  -
        Starting     -           -         -        Running      -             -         -         -          Failed  -
        Running      -           -         -        -            -             -         Stopping  -          Failed  -
        Stopping     -           -         -        Stopped      -             -         -         -          Failed  -
        Stopped      -           -         -        -            -             -         -         Unloading  -       -
        Unloading    -           -         -        Unloaded     -             -         -         -          -       Leaked
        Unloaded     Discovered  Rejected  Loading  -            -             -         -         -          -       -
        Failed       -           -         Loading  -            -             -         -         Unloading  Failed  -
        Leaked       Discovered  Rejected  Loading  Unloaded     -             -         -         -          -       Leaked
    """.trimIndent().lines().map {
        it.split(Regex(" +"))
    }

    val states = listOf(
        DriverState.Discovered,
        DriverState.Rejected("old"),
        DriverState.Loading,
        DriverState.Loaded,
        DriverState.Initializing,
        DriverState.Initialized,
        DriverState.Starting,
        DriverState.Running,
        DriverState.Stopping,
        DriverState.Stopped,
        DriverState.Unloading,
        DriverState.Unloaded,
        DriverState.Failed("old"),
        DriverState.Leaked("old"),
    )
    val events = listOf(
        DriverEvent.Find,
        DriverEvent.Reject("new"),
        DriverEvent.Load,
        DriverEvent.Done,
        DriverEvent.Initialize,
        DriverEvent.Start,
        DriverEvent.Stop,
        DriverEvent.Unload,
        DriverEvent.Fail("new", quarantined = true),
        DriverEvent.Leak("new"),
    )

    "the table has every state" {
        table.map { it.first() } shouldBe states.map { it.name }
    }

    for ((row, state) in states.withIndex()) {
        for ((column, event) in events.withIndex()) {
            val wanted = table[row][column + 1]
            "${state.name} and then $event: $wanted" {
                (state.next(event)?.name ?: "-") shouldBe wanted
            }
        }
    }

    "what is wrong comes with the event" {
        DriverState.Discovered.next(DriverEvent.Reject("new")) shouldBe DriverState.Rejected("new")
        DriverState.Failed("old").next(DriverEvent.Fail("new", true)) shouldBe DriverState.Failed("new", true)
        DriverState.Unloading.next(DriverEvent.Leak("new")) shouldBe DriverState.Leaked("new")
    }
})
