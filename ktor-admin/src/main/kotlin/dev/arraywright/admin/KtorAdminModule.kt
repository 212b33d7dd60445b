package dev.arraywright.admin

import org.koin.core.module.Module
import org.koin.dsl.module

/** What `ktor-admin` offers to a Koin application that has a kernel: its [AdminSurface]. */
public fun ktorAdminModule(): Module = module {
    single<AdminSurface> { AdminSurface(get()) }
}
