package dev.arraywright.hardware

import org.koin.core.module.Module
import org.koin.dsl.module

/** What `hardware` offers to a Koin application. */
public fun hardwareModule(): Module = module {}
