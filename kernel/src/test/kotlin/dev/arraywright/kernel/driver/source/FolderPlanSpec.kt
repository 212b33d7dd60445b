package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.scan.DriverCandidate
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import java.time.Instant

class FolderPlanSpec : StringSpec({
    val folder = Path.of("/drivers")

    fun offer(
        jar: String,
        version: String = "1.0.0",
        contents: Long = 1,
        autoLoad: Boolean = true,
        requires: List<String> = emptyList(),
    ): Offer {
        val info = DriverInfo(
            "d",
            "A driver.",
            DriverVersion.parse(version),
            listOf("d"),
            DriverVersion.PLATFORM,
            autoLoad,
            "a.B",
            requires.map(DriverRequirement::parse),
        )
        return Offer(DriverCandidate(folder.resolve(jar), info), JarFingerprint(1, Instant.EPOCH, "", contents))
    }

    fun status(from: Offer, state: DriverState = DriverState.Running, vararg devices: String) =
        mapOf("d" to DriverStatus("d", from.candidate.info, state, from.jar, Instant.EPOCH, devices = devices.toList()))

    fun FolderPlan.next(vararg offers: Offer, drivers: Map<String, DriverStatus> = emptyMap(), also: String? = null) =
        next(offers.toList(), (offers.map { it.jar } + listOfNotNull(also?.let(folder::resolve))).toSet(), drivers)

    fun load(offer: Offer) = listOf(FolderAction.Load(offer.candidate))

    fun upgrade(offer: Offer) = listOf(FolderAction.Upgrade("d", offer.candidate))

    "of what has autoLoad the highest version is loaded, once as long as its jar is the same" {
        val plan = FolderPlan(folder)
        val (one, two) = offer("1.jar") to offer("2.jar", "2.0.0")
        val manual = offer("3.jar", "3.0.0", autoLoad = false)
        plan.next(one, two, manual) shouldBe load(two)
        plan.next(one, two, manual).shouldBeEmpty()
        // It went, and came again.
        plan.next(one, manual) shouldBe load(one)
        plan.next(one, two, manual) shouldBe load(two)
        val other = offer("2.jar", "2.0.0", contents = 2)
        plan.next(one, other, manual) shouldBe load(other)
    }

    "a jar that changes upgrades what was loaded from it, by whomever, and one that failed is loaded anew" {
        val plan = FolderPlan(folder)
        val manual = offer("1.jar", autoLoad = false)
        plan.next(manual, drivers = status(manual)).shouldBeEmpty()
        val changed = offer("1.jar", "1.1.0", contents = 2, autoLoad = false)
        plan.next(changed, drivers = status(manual)) shouldBe upgrade(changed)
        plan.next(changed, drivers = status(manual)).shouldBeEmpty()
        val again = offer("1.jar", "1.0.0", contents = 3, autoLoad = false)
        plan.next(again, drivers = status(manual, DriverState.Failed("why"))) shouldBe load(again)
    }

    "a newer version in a jar of its own upgrades, an older one does not, and one from elsewhere stays" {
        val (one, two) = offer("1.jar") to offer("2.jar", "2.0.0")
        FolderPlan(folder).run {
            next(one) shouldBe load(one)
            next(one, two, drivers = status(one)) shouldBe upgrade(two)
            next(one, two, drivers = status(two)).shouldBeEmpty()
            next(two, drivers = status(two)).shouldBeEmpty()
        }
        FolderPlan(folder).next(one, two, drivers = status(two)).shouldBeEmpty()
        val elsewhere = Offer(one.candidate.copy(jar = Path.of("/home/1.jar")), one.fingerprint)
        FolderPlan(folder).next(two, drivers = status(elsewhere)).shouldBeEmpty()
    }

    "a driver whose jar is gone goes to another version that is there, else it is unloaded" {
        val (one, two) = offer("1.jar") to offer("2.jar", "2.0.0")
        FolderPlan(folder).next(one, drivers = status(two)) shouldBe upgrade(one)
        val plan = FolderPlan(folder)
        val unload = listOf(FolderAction.Unload("d"))
        plan.next(drivers = status(two, DriverState.Running, "d:1")) shouldBe unload
        // That was refused: it is asked for again when nothing is open, and then left alone.
        plan.next(drivers = status(two, DriverState.Running, "d:1")).shouldBeEmpty()
        plan.next(drivers = status(two)) shouldBe unload
        plan.next(drivers = status(two)).shouldBeEmpty()
        plan.next(two, drivers = status(two)).shouldBeEmpty()
        plan.next(drivers = status(two)) shouldBe unload
    }

    "garbage in the place of a jar unloads nothing" {
        val one = offer("1.jar")
        FolderPlan(folder).next(drivers = status(one), also = "1.jar").shouldBeEmpty()
    }

    "what waits for others is loaded when these run" {
        val plan = FolderPlan(folder)
        val needy = offer("1.jar", requires = listOf("base ^2"))
        plan.next(needy) shouldBe load(needy)
        plan.wait(needy.candidate, listOf(needy))
        plan.next(needy).shouldBeEmpty()

        fun base(version: String, state: DriverState) = needy.candidate.info.copy(
            name = "base",
            version = DriverVersion.parse(version),
            requires = emptyList(),
        ).let { mapOf("base" to DriverStatus("base", it, state, Path.of("/b.jar"), Instant.EPOCH)) }
        plan.next(needy, drivers = base("1.0.0", DriverState.Running)).shouldBeEmpty()
        plan.next(needy, drivers = base("2.1.0", DriverState.Starting)).shouldBeEmpty()
        plan.next(needy, drivers = base("2.1.0", DriverState.Running)) shouldBe load(needy)
        plan.next(needy, drivers = base("2.1.0", DriverState.Running)).shouldBeEmpty()
    }

    "an upgrade that was refused is tried again when nothing stands in its way, with what comes along" {
        fun of(jar: String, info: DriverInfo, contents: Long = 1) =
            Offer(DriverCandidate(folder.resolve(jar), info), JarFingerprint(1, Instant.EPOCH, "", contents))

        fun named(name: String, version: String, vararg requires: String) = offer("x").candidate.info.copy(
            name = name,
            version = DriverVersion.parse(version),
            requires = requires.map(DriverRequirement::parse),
        )
        val plan = FolderPlan(folder)
        val old = listOf(of("base.jar", named("base", "1.0.0")), of("over.jar", named("over", "1.0.0", "base ^1")))

        fun running(vararg more: Offer) = (old + more).associate {
            it.name to DriverStatus(it.name, it.candidate.info, DriverState.Running, it.jar, Instant.EPOCH)
        }

        fun next(offers: List<Offer>, vararg more: Offer) = plan.next(
            offers,
            offers.map {
                it.jar
            }.toSet(),
            running(*more),
        )
        next(old).shouldBeEmpty()
        val base = of("base.jar", named("base", "2.0.0", "codec"), 2)
        next(listOf(base, old[1])) shouldBe listOf(FolderAction.Upgrade("base", base.candidate))
        plan.wait(base.candidate, listOf(base, old[1]))
        next(listOf(base, old[1])).shouldBeEmpty()
        val codec = of("codec.jar", named("codec", "1.0.0"))
        // Its own turn, and not that of the base, with which over would break.
        next(listOf(base, old[1], codec), codec).shouldBeEmpty()
        val over = of("over.jar", named("over", "2.0.0", "base ^2"), 2)
        next(listOf(base, over, codec), codec).toSet() shouldBe
            setOf(FolderAction.Upgrade("base", base.candidate), FolderAction.Upgrade("over", over.candidate))
        next(listOf(base, over, codec), codec).shouldBeEmpty()
    }
})
