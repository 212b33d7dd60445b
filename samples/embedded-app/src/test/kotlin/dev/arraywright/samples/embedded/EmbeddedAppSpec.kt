package dev.arraywright.samples.embedded

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.string.shouldContain
import java.io.ByteArrayOutputStream
import java.io.PrintStream

class EmbeddedAppSpec : StringSpec({
    fun printedBy(program: () -> Unit): String {
        val before = System.out
        val bytes = ByteArrayOutputStream()
        System.setOut(PrintStream(bytes, true))
        try {
            program()
        } finally {
            System.setOut(before)
        }
        return bytes.toString()
    }

    "the Kotlin program reads its text from a degraded array" {
        val printed = printedBy { main() }
        printed shouldContain "read degraded: kept by any three of five members"
        printed shouldContain "OPTIMAL"
    }

    "the Java program does too" {
        val printed = printedBy { JavaApp.main(emptyArray()) }
        printed shouldContain "read degraded: kept by any two of four members"
    }
})
