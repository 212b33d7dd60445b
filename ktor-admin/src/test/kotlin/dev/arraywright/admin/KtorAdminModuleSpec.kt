package dev.arraywright.admin

import dev.arraywright.kernel.kernelModules
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import org.koin.dsl.koinApplication
import kotlin.io.path.exists

class KtorAdminModuleSpec : StringSpec({
    "a host that loads the modules serves its kernel at a socket of its choice, and the socket goes with it" {
        val host = koinApplication { modules(kernelModules() + ktorAdminModule()) }
        val socket = tempdir().toPath().resolve("control.sock")
        try {
            host.koin.get<AdminSurface>().listen(socket).use { socket.exists() shouldBe true }
            socket.exists() shouldBe false
        } finally {
            host.close()
        }
    }
})
