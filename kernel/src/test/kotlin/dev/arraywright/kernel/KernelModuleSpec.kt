package dev.arraywright.kernel

import io.kotest.core.spec.style.StringSpec
import org.koin.core.annotation.KoinExperimentalAPI
import org.koin.test.verify.verify

@OptIn(KoinExperimentalAPI::class)
class KernelModuleSpec : StringSpec({
    "every definition of the module can be built" {
        kernelModule().verify()
    }
})
