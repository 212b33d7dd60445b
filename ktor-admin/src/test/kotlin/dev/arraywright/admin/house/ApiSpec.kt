package dev.arraywright.admin.house

import io.kotest.assertions.AssertionErrorBuilder
import io.kotest.core.spec.style.StringSpec
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.createTempFile
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.walk
import kotlin.io.path.writeText

/** What each library module shows to others is committed as `<module>/api/<module>.api`, so that a change is a diff. */
class ApiSpec : StringSpec({
    House.arrows.keys.forEach { module ->
        "the public API of $module is the committed one" {
            val committed = House.root.resolve(module).resolve("api/$module.api")
            val current = dump(House.classes(module))
            if (System.getProperty("arraywright.api.write").toBoolean()) {
                committed.parent.createDirectories()
                committed.writeText(current)
            } else {
                difference(committed, current)?.let { AssertionErrorBuilder.fail("$it\n$HOW_TO_ACCEPT") }
            }
        }
    }
})

private const val HOW_TO_ACCEPT =
    "If that is meant, accept it for all modules and commit the result:\n" +
        "  mvn -q -pl ktor-admin -am test -Dtest=ApiSpec -Darraywright.api.write=true"

private val tools = AbiTools.getInstance()

private fun dump(classes: Path): String {
    val files = classes.walk().filter { it.extension == "class" }.map { it.toFile() }.sorted().toList()
    return StringBuilder().also { tools.printJvmDump(it, files, AbiFilters.EMPTY) }.toString().also {
        check(it.isNotEmpty()) { "$classes shows nothing to others" }
    }
}

/** Null if there is none. */
private fun difference(committed: Path, current: String): String? {
    if (!committed.exists()) return "there is no $committed yet"
    val fresh = createTempFile("current", ".api")
    try {
        fresh.writeText(current)
        return tools.filesDiff(committed.toFile(), fresh.toFile())
    } finally {
        fresh.deleteExisting()
    }
}
