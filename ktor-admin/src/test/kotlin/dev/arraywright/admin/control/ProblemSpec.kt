package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.AddressSyntaxException
import dev.arraywright.spi.device.StorageAddress
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.serialization.json.Json

class ProblemSpec : StringSpec({
    val errors = mapOf<KernelError, Int>(
        KernelError.InvalidRequest("what", "why", "remedy") to 400,
        KernelError.NotFound("what", "why", "remedy") to 404,
        KernelError.InUse("what", "why", "remedy") to 409,
        KernelError.DeviceUnusable("what", "why", "remedy") to 422,
        KernelError.DriverUnusable("what", "why", "remedy", "at org.example.Driver.start") to 422,
        KernelError.ArrayRefuses("what", "why", "remedy") to 409,
        KernelError.BadConfiguration("what", "why", "remedy") to 400,
        KernelError.NotStopped("what", "why", "remedy") to 500,
        KernelError.Closed() to 503,
    )

    errors.forEach { (error, status) ->
        "${error.code} crosses the wire as a problem document" {
            val wire = Json.encodeToString(Problem.of(error))
            val problem = Json.decodeFromString<Problem>(wire)
            problem.status shouldBe status
            problem.type shouldBe "urn:arraywright:${error.code}"
            val back = problem.toError()
            back::class shouldBe error::class
            listOf(back.what, back.why, back.remedy) shouldBe listOf(error.what, error.why, error.remedy)
            (back as? KernelError.DriverUnusable)?.details shouldBe (error as? KernelError.DriverUnusable)?.details
        }
    }

    "a bad address says where it is wrong and how to write one" {
        val failure = shouldThrow<AddressSyntaxException> { StorageAddress.parse("nbd://") }
        val problem = Problem.of(failure)
        problem.title shouldBe "'nbd://' is not a storage address"
        problem.detail shouldContain "position 6"
        problem.remedy shouldContain "file:/"
    }

    "what nobody foresaw is told as such" {
        Problem.of(IllegalStateException("odd")).run {
            code shouldBe "internal"
            status shouldBe 500
            detail shouldBe "IllegalStateException: odd"
        }
    }
})
