package dev.arraywright.raid

import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.codec.Parity
import org.koin.core.module.Module
import org.koin.dsl.module

/**
 * What `raid` offers to a Koin application: [Arrays], the fastest [Parity], and the default [ArrayPolicy].
 * The application defines the `ArrayRuntime`: dispatcher, clock and randomness are its own.
 */
public fun raidModule(): Module = module {
    single { Parity.best() }
    single { ArrayPolicy() }
    single { Arrays(get()) }
}
