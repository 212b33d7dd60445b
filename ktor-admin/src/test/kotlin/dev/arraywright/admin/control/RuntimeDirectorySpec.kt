package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.channels.ServerSocketChannel
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.createDirectories
import kotlin.io.path.exists
import kotlin.io.path.getPosixFilePermissions
import kotlin.io.path.setPosixFilePermissions

class RuntimeDirectorySpec : StringSpec({
    fun directory() = RuntimeDirectory(tempdir("aw-run").toPath().resolve("run"))

    fun listening(path: Path): ServerSocketChannel =
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path))

    "the directory is its owner's alone, also where it was open before" {
        val directory = directory()
        directory.path.createDirectories().setPosixFilePermissions(PosixFilePermissions.fromString("rwxrwxrwx"))
        directory.claim("serve")
        PosixFilePermissions.toString(directory.path.getPosixFilePermissions()) shouldBe "rwx------"
    }

    "a socket that somebody answers is found and not given away" {
        val directory = directory()
        val socket = directory.claim("serve")
        listening(socket).use {
            directory.serving() shouldBe socket
            val refused = shouldThrow<KernelError.InUse> { directory.claim("serve") }
            refused.remedy.isNotBlank() shouldBe true
            socket.exists() shouldBe true
        }
    }

    "a socket that a dead process left is removed" {
        val directory = directory()
        val stale = directory.claim("serve")
        listening(stale).close()
        stale.exists() shouldBe true
        directory.serving().shouldBeNull()
        directory.sockets().shouldBeEmpty()
        stale.exists() shouldBe false
        listening(stale).close()
        directory.claim("serve") shouldBe stale
        stale.exists() shouldBe false
    }

    "the serving process comes before others" {
        val directory = directory()
        val demo = directory.claim("demo")
        val serve = directory.claim("serve")
        listening(demo).use { listening(serve).use { directory.sockets().shouldContainExactly(serve, demo) } }
    }

    "a path too long for a socket is refused with a remedy" {
        val long = RuntimeDirectory(tempdir("aw-run").toPath().resolve("x".repeat(100)))
        shouldThrow<KernelError.InvalidRequest> { long.claim("serve") }.remedy shouldBe
            "set ARRAYWRIGHT_RUNTIME_DIR to a shorter directory"
        long.path.exists() shouldBe false
    }

    "the environment says where the files of this user are" {
        fun places(vararg variables: Pair<String, String>) = Places(variables.toMap()::get)
        places("ARRAYWRIGHT_RUNTIME_DIR" to "/a/b", "XDG_RUNTIME_DIR" to "/c").runtime.path shouldBe Path.of("/a/b")
        places("XDG_RUNTIME_DIR" to "/c").runtime.path shouldBe Path.of("/c/arraywright")
        places("XDG_DATA_HOME" to "/d").data shouldBe Path.of("/d/arraywright")
        places().data shouldBe Path.of(System.getProperty("user.home"), ".local/share/arraywright")
    }
})
