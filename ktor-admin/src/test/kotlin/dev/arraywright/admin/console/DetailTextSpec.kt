package dev.arraywright.admin.console

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class DetailTextSpec : StringSpec({
    "an array that rebuilds is shown with its members and how far it is" {
        val array = ArrayStatus(
            name = "vault",
            uuid = "00112233:44556677:8899aabb:ccddeeff",
            level = "raid5",
            size = 3L shl 29,
            chunk = 512 shl 10,
            health = ArrayHealth.DEGRADED,
            dirty = true,
            events = 42,
            members = listOf(
                MemberStatus(0, "file:/srv/m0.img", "in-sync"),
                MemberStatus(1, "block:/dev/sdb", "rebuilding"),
                MemberStatus(2, null, "missing"),
                MemberStatus(null, "file:/srv/old.img", "faulty", "medium error"),
            ),
            activity = Activity("rebuild", 256L shl 20, 768L shl 20),
        )
        DetailText.of(array) shouldBe """
            vault:
                 Level : raid5
                  UUID : 00112233:44556677:8899aabb:ccddeeff
                  Size : 1610612736 bytes (1.5 GiB)
                 Chunk : 512KiB
                 State : degraded, dirty
              Activity : rebuild 33.3% (256 MiB of 768 MiB)
                Events : 42

              Slot  State       Member
              0     in-sync     file:/srv/m0.img
              1     rebuilding  block:/dev/sdb
              2     missing     -
              -     faulty      file:/srv/old.img  medium error
        """.trimIndent()
    }
})
