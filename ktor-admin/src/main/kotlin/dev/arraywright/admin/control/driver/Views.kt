package dev.arraywright.admin.control.driver

import dev.arraywright.admin.control.machine.word
import dev.arraywright.kernel.driver.DeclaredSetting
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverStatistics
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.driver.serve.CallFigures
import dev.arraywright.kernel.driver.upgrade.UpgradeReport

internal fun DriverStatus.toView(): DriverView = DriverView(
    name = name,
    state = state.name.lowercase(),
    detail = detail(state),
    quarantined = (state as? DriverState.Failed)?.quarantined == true,
    since = since.toString(),
    jar = jar?.toString(),
    builtIn = builtIn,
    announced = info?.toView(),
    settings = settings,
    notes = notes,
    loadMillis = loadTime?.inWholeMilliseconds,
    devices = devices,
    figures = figures.toView(),
    health = word(health.status()),
    healthDetail = health.detail(),
    classes = classes,
    classBytes = classBytes,
)

private fun detail(state: DriverState): String? = when (state) {
    is DriverState.Rejected -> "it ${state.why}"
    is DriverState.Failed -> state.why
    is DriverState.Leaked -> state.report
    else -> null
}

internal fun DriverInfo.toView(): AnnouncedView = AnnouncedView(
    name = name,
    version = version.toString(),
    description = description,
    entryType = entryType,
    supportedDevices = supportedDevices,
    minimumPlatform = minimumPlatform.toString(),
    autoLoad = autoLoad,
    opensBeside = opensBeside,
    requires = requires.map { it.toString() },
    settings = settings.map { it.toView() },
)

private fun DeclaredSetting.toView() = SettingView(name, description, word(type), defaultValue, required, choices)

private fun CallFigures.toView() = FiguresView(
    opens,
    calls,
    errors,
    meanLatency.inWholeMicroseconds,
    maxLatency.inWholeMicroseconds,
    p50.inWholeMicroseconds,
    p99.inWholeMicroseconds,
)

internal fun DriverStatistics.toView(): StatisticsView =
    StatisticsView(running, failed, leaked, stranded, devices, opens, calls, errors, classes, classBytes)

internal fun ScanResult.toView(): ScanView = ScanView(
    candidates.map { CandidateView(it.jar.toString(), it.info.toView(), it.notes) },
    rejected.map { RejectedView(it.jar.toString(), it.why) },
    libraries.map { it.toString() },
)

internal fun UpgradeReport.toView(name: String, from: String?, to: String?): UpgradeView =
    UpgradeView(name, from, to, devices, longestPause.inWholeMicroseconds, total.inWholeMicroseconds, notes)
