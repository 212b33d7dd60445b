package dev.arraywright.admin

import org.koin.core.module.Module
import org.koin.dsl.module

/** What `ktor-admin` offers to a Koin application. */
public fun ktorAdminModule(): Module = module {}
