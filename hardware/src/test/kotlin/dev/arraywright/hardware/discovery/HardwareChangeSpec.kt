package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.discovery.HardwareChange.Added
import dev.arraywright.hardware.discovery.HardwareChange.Changed
import dev.arraywright.hardware.discovery.HardwareChange.Removed
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class HardwareChangeSpec : StringSpec({
    val controller = device("z-controller")
    val disk = device("disk").copy(parent = controller.id)
    val part = device("a-part").copy(parent = disk.id)
    val array = device("0-array").copy(members = setOf(part.id))
    val all = world(array, part, disk, controller)

    "what comes is told from the bottom up, and what goes from the top down" {
        HardwareChange.between(
            emptyMap(),
            all,
        ) shouldBe listOf(Added(controller), Added(disk), Added(part), Added(array))
        HardwareChange.between(all, emptyMap()) shouldBe
            listOf(Removed(array), Removed(part), Removed(disk), Removed(controller))
    }

    "a change names what differs, and none is none" {
        val larger = disk.copy(size = 8192, mounts = listOf("/data"))
        HardwareChange.between(all, all + (disk.id to larger)) shouldBe
            listOf(Changed(disk, larger, setOf("mounts", "size")))
        HardwareChange.between(all, all.mapValues { it.value.copy() }) shouldBe emptyList()
    }

    "another device under the same id went and came" {
        val other = disk.copy(incarnation = 2)
        HardwareChange.between(world(disk), world(other)) shouldBe listOf(Removed(disk), Added(other))
    }

    "every property of a device is one that a change can name" {
        val named = HardwareDevice::class.java.declaredFields.filterNot {
            it.isSynthetic || java.lang.reflect.Modifier.isStatic(it.modifiers)
        }
        val other = HardwareDevice(
            disk.id,
            "n",
            setOf(DeviceFlag.PCI),
            "p",
            "1:1",
            1,
            1,
            1,
            "m",
            "s",
            "w",
            "f",
            "t",
            true,
            true,
            true,
            1,
            "a",
            part.id,
            setOf(part.id),
            setOf(part.id),
            setOf(part.id),
            listOf("/"),
            "u",
            "b",
            "y",
            1,
            disk.incarnation,
        )
        val (changed) = HardwareChange.between(world(disk), world(other))
        (changed as Changed).fields shouldBe named.map { it.name }.toSet() - setOf("id", "incarnation")
    }

    "members in a circle do not hold it up" {
        val one = device("one").copy(members = setOf(device("two").id))
        val two = device("two").copy(members = setOf(one.id))
        HardwareChange.between(emptyMap(), world(one, two)).size shouldBe 2
    }
})
