@file:OptIn(ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.health

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.testTimeSource
import java.nio.file.Path

internal fun TestScope.monitorOf(
    targets: Flow<Collection<HealthTarget>>,
    probes: List<HealthProbe>,
    policy: MutableStateFlow<HealthPolicy> = MutableStateFlow(HealthPolicy()),
    histories: Path? = null,
) = HealthMonitor(
    context = backgroundScope.coroutineContext,
    targets = targets,
    probes = probes,
    policy = policy,
    clock = clockOf { currentTime },
    time = testTimeSource,
    histories = histories,
    io = StandardTestDispatcher(testScheduler),
)

internal fun TestScope.eventsOf(monitor: HealthMonitor): List<HealthEvent> =
    ArrayList<HealthEvent>().also { seen -> backgroundScope.launch { monitor.events.collect { seen += it } } }
