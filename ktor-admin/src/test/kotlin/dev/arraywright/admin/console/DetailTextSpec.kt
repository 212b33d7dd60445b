package dev.arraywright.admin.console

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.BitmapView
import dev.arraywright.kernel.MemberStatus
import dev.arraywright.kernel.spare.RebuildView
import dev.arraywright.kernel.spare.ScrubView
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain

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

    "rebuilds, scrub and bitmap are shown, and no time that nobody knows" {
        val rebuild = RebuildView(
            "vault-1",
            "vault",
            "replace",
            1,
            "file:/b",
            "file:/s",
            256L shl 20,
            1L shl 30,
            3L shl 20,
            "",
            260,
            "running",
        )
        val scrub = ScrubView("vault", "check", 1, 4, 2, 0, 0, emptyList(), 0, "", null, "paused")
        val array = ArrayStatus(
            "vault",
            "u",
            "raid5",
            1L shl 30,
            65536,
            ArrayHealth.OPTIMAL,
            false,
            1,
            emptyList(),
            rebuilds = listOf(rebuild),
            bitmap = BitmapView(64L shl 20, 16, 3),
        )
        DetailText.of(array, scrub).lines().filter {
            "Rebuild" in it || "Scrub" in it || "Bitmap" in it
        } shouldBe listOf(
            "   Rebuild : vault-1: replace 25.0% of slot 1 onto file:/s, running, 3 MiB/s, 4m 20s left",
            "     Scrub : check 25.0%, paused, 2 mismatches, 0 repaired",
            "    Bitmap : 3 of 16 chunks of 64MiB dirty",
        )
        val unknown = array.copy(rebuilds = listOf(rebuild.copy(remainingSeconds = null)))
        DetailText.of(unknown) shouldNotContain "left"
        ProtectionText.rebuilds(unknown.rebuilds).lines()[1] shouldBe
            "  vault-1  vault  1     replace  25.0%  3 MiB/s  -     running  file:/s"
    }
})
