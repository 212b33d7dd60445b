package dev.arraywright.kernel.peers

import dev.arraywright.hardware.device.file.FileImages
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.File
import java.nio.ByteBuffer
import kotlin.random.Random

class FullDiskSpec : StringSpec({
    "a file system that fills up under a sparse member costs that member, with the reason, and no byte".config(
        enabledOrReasonIf = needs(Peers.ROOT, "mount", "umount"),
    ) {
        val small = File(tempdir(), "small").apply { mkdirs() }
        peer("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small.path)
        try {
            val dir = tempdir()
            val members = listOf("${small.path}/m0.img", "${dir.path}/m1.img", "${dir.path}/m2.img")
            members.forEach { FileImages.create(File(it).toPath(), 32L shl 20) }
            ArraywrightKernel.start().use { kernel ->
                val spec =
                    ArraySpec(
                        "full",
                        RaidLevel.RAID5,
                        members.map {
                            "file:$it"
                        },
                        chunk = 64 * 1024,
                        assumeClean = true,
                    )
                val array = kernel.createArray(spec)
                val data = Random(3).nextBytes(24 shl 20)
                array.write(ByteBuffer.wrap(data), 0)
                array.flush()
                val status = array.status.value
                status.health shouldBe ArrayHealth.DEGRADED
                status.members[0].state shouldBe "faulty"
                status.members[0].detail!! shouldContain "no space left"
                val back = ByteBuffer.allocate(data.size)
                array.read(back, 0)
                back.array() shouldBe data
            }
        } finally {
            peer("umount", small.path)
        }
    }
})
