package dev.arraywright.admin.cli.machine

import dev.arraywright.admin.cli.needs
import dev.arraywright.admin.cli.protect.Served
import dev.arraywright.kernel.spare.SpareView
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.json.Json
import kotlin.io.path.Path
import kotlin.io.path.exists
import kotlin.time.Duration.Companion.seconds

/** Spares that are named before they are plugged in. */
class AwaitedSpareSpec : StringSpec({
    suspend fun Served.spares(): List<SpareView> =
        Json.decodeFromString<List<SpareView>>(run("spare", "list", "-o", "json").ok().out)

    "a disk that is not there is awaited, shown and kept in the configuration, until it is removed" {
        Served.with {
            val disk = "/dev/nosuch9n9"
            run("spare", "add", disk, "--await", "--domain", "shelf2").ok().out shouldContain "awaited"
            spares().map { it.address to it.health } shouldContainExactly listOf("block:$disk" to "awaited")
            run("spare", "list").ok().out shouldContain Regex("block:$disk +- +all +- +awaited")
            configuration().spares.map { it.address to it.domain } shouldContainExactly
                listOf("block:$disk" to "shelf2")
            run("spare", "remove", disk).ok()
            spares().shouldBeEmpty()
            configuration().spares.shouldBeEmpty()
        }
    }

    "a disk that is awaited is a spare once it is plugged in"
        .config(enabledOrReasonIf = needs(Peers.ROOT, Peers.LOOP)) {
            Served.with {
                val disk = (200..255).map { "/dev/loop$it" }.first { !Path(it).exists() }
                run("spare", "add", disk, "--await").ok()
                spares().single().health shouldBe "awaited"
                Loop(bench.directory.resolve("disk"), 32, disk).use {
                    eventually(20.seconds) { spares().single().health shouldBe "ok" }
                    run("events", "--since", "1", "--topic", "device.spare").ok().out.run {
                        this shouldContain "device.spare.awaited"
                        this shouldContain "device.spare.added"
                    }
                    run("spare", "remove", disk).ok()
                }
            }
        }

    "what cannot be awaited is refused" {
        Served.with {
            refused("spare", "add", "/srv/nosuch.img", "--await", because = "nosuch.img")
            refused("spare", "add", "/dev/nosuch9n9", because = "nosuch9n9")
            refused("spare", "add", members[0], "--await", because = "vault")
            run("spare", "add", "/dev/nosuch9n9", "--array", "vault", "--await").run {
                code shouldBe 2
                err shouldContain "leave --array out"
            }
        }
    }
})
