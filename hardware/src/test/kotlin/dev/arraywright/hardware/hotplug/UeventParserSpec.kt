package dev.arraywright.hardware.hotplug

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.byte
import io.kotest.property.arbitrary.byteArray
import io.kotest.property.arbitrary.int
import io.kotest.property.checkAll

class UeventParserSpec : StringSpec({
    val loop = listOf(
        "change@/devices/virtual/block/loop0",
        "ACTION=change",
        "DEVPATH=/devices/virtual/block/loop0",
        "SUBSYSTEM=block",
        "MAJOR=7",
        "MINOR=0",
        "DEVNAME=loop0",
        "DEVTYPE=disk",
        "SEQNUM=4711",
        "",
    ).joinToString("\u0000")

    fun refused(message: String) = refused(message.encodeToByteArray())

    "an event of the kernel is read" {
        UeventParser.parse(loop.encodeToByteArray()).run {
            action shouldBe "change"
            path shouldBe "/devices/virtual/block/loop0"
            subsystem shouldBe "block"
            variables["DEVNAME"] shouldBe "loop0"
            variables.size shouldBe 8
        }
    }

    "a value may have any signs in it" {
        UeventParser.parse((loop + "X=a=b@c ä\u0000Y=\u0000").encodeToByteArray()).variables.run {
            get("X") shouldBe "a=b@c ä"
            get("Y") shouldBe ""
        }
    }

    "what udev sends is refused" {
        refused("libudev\u0000\u00fe\u00ed\u00ca\u00fe\u0000\u0000\u0000ACTION=add\u0000")
    }

    "what is no whole event is refused" {
        val damaged = listOf(
            loop.dropLast(1),
            loop.replace("ACTION=", "action="),
            loop.replaceFirst("loop0", "loop1"),
            loop.replace("SUBSYSTEM", "S"),
            loop.replace("/devices/virtual/", "/devices/../../etc/"),
            loop.replace("/devices/", "devices/"),
            loop.replace("/virtual/", "//"),
        )
        for (message in damaged + listOf("", "\u0000", "add", loop + "novalue\u0000", "$loop=x\u0000", "$loop\u0000")) {
            refused(message)
        }
        refused(loop + "X=" + "y".repeat(UeventParser.LIMIT) + "\u0000")
    }

    "bytes of any kind are refused as no event" {
        checkAll(Arb.byteArray(Arb.int(0..300), Arb.byte())) { refusedOrRead(it) }
    }

    "a damaged or shortened event is read or refused" {
        val bytes = loop.encodeToByteArray()
        checkAll(Arb.int(bytes.indices), Arb.byte()) { at, value ->
            refusedOrRead(bytes.clone().also { it[at] = value })
            refused(bytes.copyOf(at).let { if (it.lastOrNull() == 0.toByte()) it.copyOf(it.size - 1) else it })
        }
    }
})

private fun refused(message: ByteArray) = shouldThrow<UeventException> { UeventParser.parse(message) }

private fun refusedOrRead(message: ByteArray) {
    try {
        UeventParser.parse(message).path.startsWith("/") shouldBe true
    } catch (_: UeventException) {
        // as it should be
    }
}
