package dev.arraywright.admin.control.machine

import dev.arraywright.admin.control.RemoteCalls
import dev.arraywright.admin.control.json
import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.MonitorStatus
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.memory.BufferPoolStats
import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.Confidence
import dev.arraywright.hardware.platform.ContainerKind
import dev.arraywright.hardware.platform.Evidence
import dev.arraywright.hardware.platform.HypervisorKind
import dev.arraywright.hardware.platform.Platform
import dev.arraywright.hardware.platform.Verdict
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.kernel.config.HealthConfiguration
import dev.arraywright.kernel.spare.ProtectionStatus
import dev.arraywright.kernel.spare.SpareView
import dev.arraywright.raid.cache.ReadCacheStats
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject

class ViewsSpec : StringSpec({
    "what goes over the wire is read back as it was" {
        fun <T> back(value: T, there: (T) -> String, back: (String) -> T) = back(there(value)) shouldBe value
        val health = Scene.report.toView()
        val device = Scene.disk.toView("member of vault", health)
        back(
            HardwareView(
                listOf(device),
                MonitorStatus("sysfs", "uevents", "no", "late").toView(),
                HealthConfiguration(),
            ),
            { json.encodeToString(it) },
            { RemoteCalls.json.decodeFromString(it) },
        )
        back(
            DeviceDetail(device, listOf(Scene.controller.toView())),
            { json.encodeToString(it) },
            { RemoteCalls.json.decodeFromString(it) },
        )
        back(
            HealthStatus(HealthConfiguration(wearWarning = 3), listOf(health)),
            { json.encodeToString(it) },
            { RemoteCalls.json.decodeFromString(it) },
        )
        back(
            listOf(Capability.absent("numa", "one node", mapOf("nodes" to "1")).toView()),
            { json.encodeToString(it) },
            { RemoteCalls.json.decodeFromString(it) },
        )
        back(platform().toView(), { json.encodeToString(it) }, { RemoteCalls.json.decodeFromString(it) })
        back(memory(), { json.encodeToString(it) }, { RemoteCalls.json.decodeFromString(it) })
        back(numa(), { json.encodeToString(it) }, { RemoteCalls.json.decodeFromString(it) })
        back(
            ChangeView.of(HardwareChange.Changed(Scene.loop, Scene.loop.copy(size = 4096), setOf("size")))!!,
            { json.encodeToString(it) },
            { RemoteCalls.json.decodeFromString(it) },
        )
    }

    "a view has all that its source has, by the same name" {
        val device = json.encodeToJsonElement(DeviceView.serializer(), Scene.disk.toView()).jsonObject.keys
        val renamed = setOf("Companion", "DEPENDENT", "incarnation", "sequence")
        (HardwareDevice::class.java.declaredFields.map { it.name }.toSet() - renamed - device).shouldBeEmpty()
        val reading = json.encodeToJsonElement(HealthView.serializer(), Scene.report.toView())
            .jsonObject.getValue("reading").jsonObject.keys
        (HealthReading::class.java.declaredFields.map { it.name }.toSet() - "latency" - reading).shouldBeEmpty()
    }

    "a device tells who uses it, arrays of ours included, and is free only where nobody does" {
        val array = ArrayStatus(
            name = "vault",
            uuid = "u",
            level = "raid1",
            size = 1,
            chunk = 0,
            health = ArrayHealth.OPTIMAL,
            dirty = false,
            events = 1,
            members = listOf(
                MemberStatus(0, "block:/dev/nvme0n1p1", "in-sync"),
                MemberStatus(1, "file:/dev/loop0", "in-sync"),
                MemberStatus(2, null, "missing"),
                MemberStatus(3, "not an address", "faulty"),
            ),
        )
        val spare = SpareView("block:/dev/nosuch0", 1, array = "vault", health = "ok")
        val users = Users.of(listOf(array), ProtectionStatus(listOf(spare)))
        users.of(Scene.partition, Scene.devices) shouldBe "member of vault"
        users.of(Scene.disk, Scene.devices) shouldBe "member of vault through nvme0n1p1"
        users.of(Scene.loop, Scene.devices).shouldBeNull()
        users.of(Scene.loop.copy(path = "/dev/nosuch0"), Scene.devices) shouldBe "spare of vault"
        Scene.partition.toView().run { free to inUse } shouldBe (true to null)
        Scene.partition.toView("member of vault").run { free to inUse } shouldBe (false to "member of vault")
        Scene.partition.copy(inUse = "mounted at /").toView("x").run { free to inUse } shouldBe
            (false to "mounted at /")
    }

    "a change says what was and what is, and one of nothing that is shown is none" {
        val full = Scene.loop.copy(size = 4096, backingFile = "/srv/l0")
        val change = ChangeView.of(HardwareChange.Changed(Scene.loop, full, setOf("size", "backingFile")))!!
        change.differences shouldBe mapOf(
            "size" to Difference(JsonPrimitive(0), JsonPrimitive(4096)),
            "backingFile" to Difference(JsonNull, JsonPrimitive("/srv/l0")),
            "free" to Difference(JsonPrimitive(false), JsonPrimitive(true)),
        )
        change.shows shouldBe true
        ChangeView.of(HardwareChange.Changed(full, full.copy(sequence = 7), setOf("sequence"))).shouldBeNull()
        ChangeView.of(HardwareChange.Added(Scene.loop))!!.shows shouldBe false
        ChangeView.of(HardwareChange.Removed(Scene.disk))!!.run { this.change to shows } shouldBe ("removed" to true)
        ChangeView.of(HardwareChange.Added(Scene.controller))!!.shows shouldBe false
    }
})

internal fun platform() = Platform(
    Verdict(
        HypervisorKind.HYPER_V,
        Confidence.LIKELY,
        listOf(Evidence("CPUID leaf 0x40000000", "calls itself \"Microsoft Hv\"", HypervisorKind.HYPER_V, 90)),
    ),
    Verdict(ContainerKind.NONE, Confidence.GUESS, emptyList()),
    controlDomain = true,
    unread = listOf("/sys/class/dmi: there is no such file"),
)

internal fun memory() = MemoryView(
    "medium",
    3L shl 20,
    "psi",
    listOf(
        PressureSourceView("psi", true, "the kernel wakes it"),
        PressureSourceView("balloon", false, "there is no virtio balloon"),
    ),
    "no limit",
    listOf(RoundView("2026-05-04T03:02:01Z", 4L shl 20, mapOf("buffers" to (1L shl 20)), 512L shl 10, "psi")),
    BufferPoolStats(256L shl 20, 16L shl 20, 1L shl 20, 2, 3L shl 20).toView(),
    ReadCacheStats(hits = 7, misses = 3, bytes = 8L shl 20, limit = 64L shl 20, evictions = 1).toView(),
)

internal fun numa() = NumaView(
    listOf(
        NodeView(0, 96L shl 30, 1L shl 30, listOf(0, 1, 2, 3), mapOf(0 to 10, 2 to 21), listOf("0000:18:00.0")),
        NodeView(2, 96L shl 30, 3L shl 30, listOf(4, 6), mapOf(0 to 21, 2 to 10), emptyList(), listOf("/dev/nvme1n1")),
    ),
)
