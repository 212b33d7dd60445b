package dev.arraywright.raid

import dev.arraywright.raid.array.ArrayRuntime
import io.kotest.core.spec.style.StringSpec
import org.koin.core.annotation.KoinExperimentalAPI
import org.koin.test.verify.verify

@OptIn(KoinExperimentalAPI::class)
class RaidModuleSpec : StringSpec({
    "every definition of the module can be built" {
        raidModule().verify(extraTypes = listOf(ArrayRuntime::class))
    }
})
