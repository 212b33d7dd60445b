package dev.arraywright.admin.peers

import dev.arraywright.admin.Bench
import dev.arraywright.admin.cli.needs
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.event.DeviceReadded
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import java.io.RandomAccessFile
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.createDirectory
import kotlin.time.Duration.Companion.seconds

/** A real serving process, real devices that break under a verified load, and a client that sees nothing of it. */
class SelfHealingSpec : StringSpec({
    fun run(vararg command: String) = Peer.run(Duration.ofSeconds(30), *command).orFail().stdout().trim()

    fun file(path: Path, mebibytes: Long): Path =
        path.also { RandomAccessFile("$it", "rw").use { file -> file.setLength(mebibytes shl 20) } }

    /** Each of [story] happened, in this order; others may lie between. */
    fun List<KernelEvent>.tell(vararg story: Topic) {
        val left = story.toMutableList()
        forEach { if (it.topic == left.firstOrNull()) left.removeFirst() }
        withClue(joinToString("\n")) { left shouldBe emptyList() }
    }

    "a loop member that only gives errors is replaced and rebuilt under a verified load, and the client sees nothing"
        .config(enabledOrReasonIf = needs(Peers.ROOT, Peers.LOOP, "mount", "fio")) {
            Bench().use { bench ->
                val small = bench.directory.resolve("small").createDirectory()
                run("mount", "-t", "tmpfs", "-o", "size=36m", "arraywright", "$small")
                val files = listOf(file(bench.directory.resolve("l0"), 32), file(small.resolve("l1"), 32)) +
                    listOf("l2", "l3").map { file(bench.directory.resolve(it), 32) }
                val loops = files.map { run("losetup", "--find", "--show", "$it") }
                try {
                    ServeProcess.start(bench).use { serve ->
                        val made = listOf("--level", "5", "--chunk", "64KiB", "--assume-clean", "--bitmap", "auto")
                        bench.run("create", "vault", made, "--shared-spare", loops[3], "--export", loops.take(3)).ok()
                        Fio(serve.uri, "40M", "5m", bench.directory.resolve("fio.log").toFile()).use { fio ->
                            serve.until { it.dirty }
                            // Reads fail beyond the file's end, and writes once its file system is full.
                            repeat(3) {
                                run("truncate", "-s", "0", "${files[1]}")
                                Peer.run(Duration.ofSeconds(30), "dd", "if=/dev/zero", "of=$small/full$it", "bs=64k")
                            }
                            serve.until { it.members.single { m -> m.slot == 1 }.address == "block:${loops[3]}" }
                            fio.running shouldBe true
                            fio.passes()
                        }
                        serve.whole().members.single { it.slot == 1 }.address shouldBe "block:${loops[3]}"
                        eventually(10.seconds) {
                            val kept = Configuration.load(bench.directory.resolve("c.json"))
                            kept.arrays.single().members.toSet() shouldBe
                                setOf(loops[0], loops[2], loops[3]).map { "block:$it" }.toSet()
                        }
                        serve.events().tell(
                            Topic.DEVICE_FAILED,
                            Topic.ARRAY_DEGRADED,
                            Topic.FAILOVER_STARTED,
                            Topic.REBUILD_STARTED,
                            Topic.REBUILD_COMPLETE,
                        )
                        serve.events().map { it.topic } shouldContain Topic.ARRAY_RECOVERED
                        serve.stop()
                    }
                } finally {
                    loops.forEach { run("losetup", "--detach", it) }
                    run("umount", "-l", "$small")
                }
            }
        }

    "a member that hangs is replaced and rebuilt under a verified load, and the client sees nothing"
        .config(enabledOrReasonIf = needs("nbdkit", "fio")) {
            Bench().use { bench ->
                Nbdkit(file(bench.directory.resolve("n0"), 32)).use { hanging ->
                    hanging.start()
                    val others = listOf("m1", "m2", "s").map { "${file(bench.directory.resolve(it), 32)}" }
                    ServeProcess.start(bench, """"memberDeadline": "2s"""").use { serve ->
                        val made = listOf("--level", "5", "--chunk", "64KiB", "--assume-clean", "--bitmap", "auto")
                        bench.run(
                            "create",
                            "vault",
                            made,
                            "--shared-spare",
                            others[2],
                            "--export",
                            hanging.address,
                            others.take(2),
                        ).ok()
                        Fio(serve.uri, "40M", "5m", bench.directory.resolve("fio.log").toFile()).use { fio ->
                            serve.until { it.dirty }
                            hanging.hang()
                            serve.until { it.members.single { m -> m.slot == 0 }.address == "file:${others[2]}" }
                            fio.passes()
                        }
                        serve.whole()
                        serve.events().tell(
                            Topic.DEVICE_FAILED,
                            Topic.ARRAY_DEGRADED,
                            Topic.FAILOVER_STARTED,
                            Topic.REBUILD_STARTED,
                            Topic.REBUILD_COMPLETE,
                        )
                        serve.stop()
                    }
                }
            }
        }

    "a member whose server comes back before a spare was there is brought up to date by the bitmap alone"
        .config(enabledOrReasonIf = needs("nbdkit", "fio")) {
            Bench().use { bench ->
                Nbdkit(file(bench.directory.resolve("n0"), 64)).use { flapping ->
                    flapping.start()
                    val others = listOf("m1", "m2").map { "${file(bench.directory.resolve(it), 64)}" }
                    val live = """"memberDeadline": "2s", "policy": {"healthCheckInterval": "1s"}"""
                    ServeProcess.start(bench, live).use { serve ->
                        val made = listOf("--level", "5", "--chunk", "64KiB", "--assume-clean", "--bitmap", "64KiB")
                        bench.run("create", "vault", made, "--export", flapping.address, others).ok()
                        Fio(serve.uri, "16M", "4m", bench.directory.resolve("fio.log").toFile()).use { fio ->
                            serve.until { it.dirty }
                            flapping.kill()
                            serve.until { it.health == ArrayHealth.DEGRADED }
                            flapping.start()
                            fio.passes()
                        }
                        serve.whole().members.single { it.slot == 0 }.address shouldBe flapping.address
                        serve.events().run {
                            tell(Topic.DEVICE_FAILED, Topic.ARRAY_DEGRADED, Topic.DEVICE_READDED, Topic.ARRAY_RECOVERED)
                            val back = map { it.occurrence }.filterIsInstance<DeviceReadded>().last()
                            back.bytesDirty.shouldNotBeNull() shouldBeLessThan (24L shl 20)
                            map { it.topic }.contains(Topic.FAILOVER_STARTED) shouldBe false
                        }
                        serve.stop()
                    }
                }
            }
        }
})
