package dev.arraywright.kernel

import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.event.journal.JournalRecord
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList

class KernelJournalSpec : StringSpec({
    "the journal has everything up to the last array that stopped, and the next kernel goes on behind it" {
        val directory = tempdir().toPath().resolve("events")
        val options = KernelOptions(journal = directory)
        repeat(2) { time ->
            ArraywrightKernel.start(options).use { kernel ->
                val members = listOf("memory:16MiB#a$time", "memory:16MiB#b$time")
                kernel.createArray(ArraySpec("vault", RaidLevel.RAID1, members, assumeClean = true))
            }
        }
        val kept = EventJournal.read(directory).toList().map { (it as JournalRecord.Event).event }
        kept.map { it.sequence } shouldBe (1L..kept.size).toList()
        kept.map { it.topic } shouldBe
            listOf(Topic.DEVICE_GROUP_CREATED, Topic.ARRAY_STOPPED, Topic.DEVICE_GROUP_CREATED, Topic.ARRAY_STOPPED)
        ArraywrightKernel.start(options).use { kernel ->
            kernel.eventsSince(2).take(3).toList() shouldBe kept.drop(1)
            kernel.journal?.failure?.value shouldBe null
        }
    }

    "two kernels do not keep one journal" {
        val options = KernelOptions(journal = tempdir().toPath())
        ArraywrightKernel.start(options).use {
            shouldThrow<KernelError.InUse> { ArraywrightKernel.start(options) }.why shouldContain "another kernel"
        }
        ArraywrightKernel.start(options).close()
    }
})
