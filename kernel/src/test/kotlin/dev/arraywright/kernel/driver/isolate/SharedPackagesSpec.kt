package dev.arraywright.kernel.driver.isolate

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class SharedPackagesSpec : StringSpec({
    "a package is shared alone, and with .** all below it" {
        val shared = SharedPackages("com.sun.jna", "org.slf4j.**")
        val covered = listOf("com.sun.jna", "org.slf4j", "org.slf4j.spi.deep", "dev.arraywright.spi.driver")
        val others =
            listOf("com.sun.jna.ptr", "com.sun", "org.slf4jx", "org", "", "dev.arraywright.spiral", "dev.arraywright")
        covered.filterNot(shared::covers) shouldBe emptyList()
        others.filter(shared::covers) shouldBe emptyList()
    }

    "what is no package is refused" {
        for (pattern in listOf("", "*", "**", "a.*", "a..b", ".a", "a.", "a.**.b", "a b", "a/b")) {
            shouldThrow<IllegalArgumentException> { SharedPackages(pattern) }.message shouldBe
                "'$pattern' is no package and no package with .** behind it, like org.slf4j.**"
        }
    }
})
