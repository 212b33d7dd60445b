package dev.arraywright.raid

import org.koin.core.module.Module
import org.koin.dsl.module

/** What `raid` offers to a Koin application. */
public fun raidModule(): Module = module {}
