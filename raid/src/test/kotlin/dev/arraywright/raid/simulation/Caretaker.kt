package dev.arraywright.raid.simulation

/** Who looks after the array of a story, and has it in hand when something happens. */
internal interface Caretaker {
    /** The array runs: for the first time, or again. */
    suspend fun takeOver()

    /** Something goes wrong, or somebody does something. */
    suspend fun mishap()

    /** Nothing goes wrong any more: returns once all is as well as it can be, or throws what is not. */
    suspend fun quiet()

    /** The array is about to be stopped. */
    suspend fun leave()

    /** The power is off. */
    fun dark()
}
