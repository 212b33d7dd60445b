package dev.arraywright.kernel.embed

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.future.await
import kotlin.io.path.writeText

class ArraywrightFollowSpec : StringSpec({
    fun priority(of: Int) = """{ "policy": { "rebuildPriority": $of } }"""

    "a configuration file is run and followed until the end" {
        val file = tempdir().toPath().resolve("c.json").also { it.writeText(priority(7)) }
        Arraywright.start().use { arraywright ->
            val kernel = arraywright.kernel()
            arraywright.follow(file).await().shouldBeEmpty()
            kernel.protection.policy.value.rebuildPriority shouldBe 7
            file.writeText(priority(8))
            kernel.until(Topic.CONFIGURATION_CHANGED)
            kernel.protection.policy.value.rebuildPriority shouldBe 8
            file.writeText("{")
            kernel.until(Topic.CONFIGURATION_REJECTED)
            kernel.protection.policy.value.rebuildPriority shouldBe 8
        }
    }

    "a file that cannot be used runs nothing" {
        val file = tempdir().toPath().resolve("c.json").also { it.writeText("""{ "polici": {} }""") }
        Arraywright.start().use { arraywright ->
            shouldThrow<KernelError.BadConfiguration> { arraywright.follow(file).await() }.why shouldContain "policy"
        }
    }
})
