package dev.arraywright.kernel.driver

import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.driver.isolate.DriverLoader
import dev.arraywright.kernel.driver.isolate.SharedPackages
import dev.arraywright.kernel.driver.isolate.leak.LeakChecks
import dev.arraywright.kernel.driver.lifecycle.Admission
import dev.arraywright.kernel.driver.lifecycle.DriverRoster
import dev.arraywright.kernel.driver.lifecycle.KernelHouse
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.driver.serve.BuiltIns
import dev.arraywright.kernel.driver.serve.DeviceUsers
import dev.arraywright.kernel.driver.source.DriverFolder
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.machine.Sight
import dev.arraywright.kernel.spare.Protection
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlin.random.Random
import kotlin.time.TimeSource

/** A kernel's drivers and their parts. */
internal fun driverManager(
    kernel: KernelOptions,
    scope: CoroutineScope,
    opener: DeviceOpener,
    buffers: BufferPool,
    members: Members,
    protection: Protection,
    events: EventStream,
    sight: Sight,
): DriverManager {
    val options = kernel.drivers
    val scanner = DriverScanner(options.jarLimits)
    val checks = LeakChecks(heapDumpUpTo = options.heapDumpUpTo)
    val loader = DriverLoader(SharedPackages(options.sharedPackages), options.loaderLimits, checks)
    val house =
        KernelHouse(options, scope, buffers, events, scanner, loader, TimeSource.Monotonic, Random.Default)
    val builtIns = BuiltIns(opener, kernel.clock, TimeSource.Monotonic)
    val roster = DriverRoster(kernel.clock, builtIns.names)
    val users = DeviceUsers(members, protection)
    val admission = Admission(roster, opener, users, house, options.maxLoaded, options.configured)
    val manager =
        DriverManager(scope, scanner, house, roster, admission, users, events, builtIns) { loader.stranded.size }
    val directory = options.directory?.toAbsolutePath()?.normalize() ?: return manager
    manager.folder = DriverFolder(directory, scope, manager, scanner, sight.devices, events, Dispatchers.IO)
    return manager
}
