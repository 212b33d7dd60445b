package dev.arraywright.kernel

import org.koin.core.module.Module
import org.koin.dsl.module

/** What `kernel` offers to a Koin application. */
public fun kernelModule(): Module = module {}
