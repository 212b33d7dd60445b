package dev.arraywright.admin.serve

import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.SpareConfiguration
import dev.arraywright.kernel.spare.SpareView
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class ListingSpec : StringSpec({
    fun members(
        vararg slots: String,
        spares: List<String> = emptyList(),
        replaced: List<String> = emptyList(),
        whole: Boolean = true,
    ) = Members("vault", (slots.toList() + spares).toSet(), slots.toSet(), replaced.toSet(), whole)

    fun configuration(vararg members: String, own: List<String> = emptyList(), shared: List<String> = emptyList()) =
        Configuration(
            listOf(ArrayConfiguration("vault", members.toList(), spares = own)),
            spares = shared.map { SpareConfiguration(it) },
        )

    fun spare(address: String) = SpareView(address, 1, health = "ok")

    /** What is written, and then is. */
    fun Listing.next(c: Configuration, arrays: List<Members>, pool: List<SpareView>) =
        of(c, arrays, pool).also { written(arrays, pool) }

    "what is as it was stays as it is written" {
        val c = configuration("file:/a", "file:/b", "file:/s")
        Listing().of(c, listOf(members("file:/a", "file:/b", spares = listOf("file:/s"))), emptyList()) shouldBe c
    }

    "a shared spare that took a place is a member, and who had the place is none once all are in sync" {
        val listing = Listing()
        val start = configuration("file:/a", "file:/b", shared = listOf("file:/s"))
        listing.next(start, listOf(members("file:/a", "file:/b")), listOf(spare("file:/s"))) shouldBe start
        val rebuilding = members("file:/a", "file:/s", replaced = listOf("file:/b"), whole = false)
        val during = listing.next(start, listOf(rebuilding), emptyList())
        during shouldBe configuration("file:/a", "file:/b", "file:/s")
        listing.next(
            during,
            listOf(members("file:/a", "file:/s")),
            emptyList(),
        ) shouldBe configuration("file:/a", "file:/s")
    }

    "a spare that could not be filled is a shared one again" {
        val listing = Listing()
        val start = configuration("file:/a", "file:/b", shared = listOf("file:/s"))
        listing.next(start, listOf(members("file:/a", "file:/b")), listOf(spare("file:/s")))
        val during = listing.next(start, listOf(members("file:/a", "file:/s", whole = false)), emptyList())
        val back = listing.next(during, listOf(members("file:/a", "file:/b")), listOf(spare("file:/s")))
        back shouldBe start
    }

    "a member that is away stays listed" {
        val listing = Listing()
        val start = configuration("file:/a", "file:/b")
        listing.next(start, listOf(members("file:/a", "file:/b")), emptyList())
        listing.next(start, listOf(members("file:/a", whole = false)), emptyList()) shouldBe start
        listing.next(start, emptyList(), emptyList()) shouldBe start
    }

    "an own spare that took a place is a member, and its domain goes with who had it" {
        val listing = Listing()
        val start = configuration("file:/a", "file:/b", own = listOf("file:/s"))
            .let { c -> c.copy(arrays = c.arrays.map { it.copy(domains = mapOf("file:/b" to "x", "file:/s" to "y")) }) }
        listing.next(
            start,
            listOf(members("file:/a", "file:/b", spares = listOf("file:/s"))),
            emptyList(),
        ) shouldBe start
        listing.next(start, listOf(members("file:/a", "file:/s")), emptyList()).arrays.single().run {
            members shouldBe listOf("file:/a", "file:/s")
            spares shouldBe emptyList()
            domains shouldBe mapOf("file:/s" to "y")
        }
    }

    "what an operator takes out of the file is not listed again, though the kernel has it still" {
        val listing = Listing()
        val now = listOf(members("file:/a", "file:/b", spares = listOf("file:/s")))
        val pool = listOf(spare("file:/t"), spare("file:/u"))
        val start = configuration(
            "file:/a",
            "file:/b",
            own = listOf("file:/s"),
            shared = listOf("file:/t", "file:/u"),
        )
        listing.next(start, now, pool) shouldBe start
        val edited = configuration("file:/a", "file:/b", shared = listOf("file:/u"))
        listing.of(edited, now, pool) shouldBe edited
    }

    "a device is listed once, however an operator writes it" {
        val listing = Listing()
        val start = configuration("/a", "/b", own = listOf("/s"), shared = listOf("/t"))
        val pool = listOf(spare("file:/t"))
        listing.next(start, listOf(members("file:/a", "file:/b", spares = listOf("file:/s"))), pool) shouldBe start
        listing.next(start, listOf(members("file:/a", "file:/s", replaced = listOf("file:/b"))), pool) shouldBe
            configuration("/a", "file:/s", shared = listOf("/t"))
    }

    "what could not be written is not forgotten" {
        val listing = Listing()
        val start = configuration("file:/a", "file:/b")
        listing.next(start, listOf(members("file:/a", "file:/b")), emptyList())
        val after = listOf(members("file:/a", "file:/c"))
        repeat(2) { listing.of(start, after, emptyList()) shouldBe configuration("file:/a", "file:/c") }
    }

    "an array that is not configured is left alone" {
        Listing().of(Configuration(), listOf(members("file:/a")), emptyList()) shouldBe Configuration()
    }

    "journal and state are beside the configuration, under its name" {
        val kept = Kept.beside(java.nio.file.Path.of("/etc/x/vault.json"))
        "${kept.journal}" shouldBe "/etc/x/vault.journal"
        "${kept.state}" shouldBe "/etc/x/vault.state"
    }
})
