package dev.arraywright.hardware

import io.kotest.core.spec.style.StringSpec
import org.koin.core.annotation.KoinExperimentalAPI
import org.koin.test.verify.verify

@OptIn(KoinExperimentalAPI::class)
class HardwareModuleSpec : StringSpec({
    "every definition of the module can be built" {
        hardwareModule().verify()
    }
})
