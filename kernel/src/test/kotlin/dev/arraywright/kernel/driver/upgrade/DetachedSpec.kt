package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldNotBeSameInstanceAs
import java.time.Duration

class DetachedSpec : StringSpec({
    class TheDriversOwn(message: String) : Exception(message)

    "each kind stays the kind it was, in the same words and with the same trace, and keeps none of the driver's" {
        val cause = TheDriversOwn("the cable")
        val thrown = listOf<DeviceIoException>(
            MediumErrorException("a", 512, 1024, cause),
            ChecksumException("a", 512, 1024, cause),
            DeviceGoneException("a", "pulled: out", cause),
            TimedOutException("a", Duration.ofMillis(1500), cause),
            OutOfSpaceException("a", cause),
            WriteProtectedException("a", cause),
            WriteProtectedException("a", "by a tab", cause),
        )
        for (one in thrown) {
            val told = detached(one, "b")
            told.javaClass shouldBe one.javaClass
            told shouldNotBeSameInstanceAs one
            told.message shouldBe one.message
            told.deviceId() shouldBe "a"
            told.stackTrace.toList() shouldBe one.stackTrace.toList()
            told.cause?.javaClass?.classLoader shouldBe Gate::class.java.classLoader
            told.cause?.message.orEmpty() shouldContain "the cable"
            if (one is MediumErrorException) (told as MediumErrorException).offset() shouldBe 512
            if (one is ChecksumException) (told as ChecksumException).length() shouldBe 1024
        }
        detached(OutOfSpaceException("a", null), "b").cause.shouldBeNull()
    }

    "whatever else is thrown means that the device is gone" {
        val told = detached(TheDriversOwn("oops"), "b").shouldBeInstanceOf<DeviceGoneException>()
        told.message.orEmpty() shouldContain "oops"
        told.cause.shouldBeNull()
        detached(StackOverflowError(), "b").shouldBeInstanceOf<DeviceGoneException>()
    }

    "one that fails to say what it is does not get through either" {
        val silent = object : RuntimeException() {
            override val message: String get() = error("no comment")
        }
        detached(silent, "b").shouldBeInstanceOf<DeviceGoneException>().cause.shouldBeNull()
        detached(OutOfSpaceException("a", silent), "b").shouldBeInstanceOf<DeviceGoneException>()
    }
})
