package dev.arraywright.admin.demo

import dev.arraywright.admin.Bench
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries

class DemoSpec : StringSpec({
    "the demo tells its story, compares every byte, and leaves nothing behind" {
        Bench().use { bench ->
            val temporary = Path.of(System.getProperty("java.io.tmpdir"))
            val before = temporary.listDirectoryEntries("arraywright-demo-*").toSet()
            val outcome = bench.run("demo").ok()
            outcome.out.lines().filter { Regex("^\\d+\\. .*").matches(it) }.size shouldBe 9
            outcome.out shouldContain "every byte compared equal"
            (temporary.listDirectoryEntries("arraywright-demo-*").toSet() - before).shouldBeEmpty()
            bench.leftSockets().shouldBeEmpty()
        }
    }
})
