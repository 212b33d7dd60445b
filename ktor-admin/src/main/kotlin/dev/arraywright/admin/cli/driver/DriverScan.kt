package dev.arraywright.admin.cli.driver

import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.types.path
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DriverText
import dev.arraywright.admin.control.driver.ScanView
import dev.arraywright.admin.control.driver.toView
import dev.arraywright.kernel.driver.scan.DriverScanner
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlin.io.path.isDirectory

/** `arraywright driver scan`: in this process, for nothing of a jar is run. */
internal class DriverScan :
    Command(
        "scan",
        "Show which drivers jars have, without loading them, and why a jar is rejected; then the exit code is 1.",
        "arraywright driver scan overlay.jar",
        "arraywright driver scan /var/lib/arraywright/drivers -o json",
    ) {
    private val paths by argument("PATH").path().multiple(required = true).help("a jar, or a directory of jars")

    override suspend fun execute() {
        val scanner = DriverScanner()
        val found = withContext(Dispatchers.IO) {
            paths.map { if (it.isDirectory()) scanner.scanDirectory(it) else scanner.scan(it) }
        }.map { it.toView() }
        val all = ScanView(
            found.flatMap { it.candidates },
            found.flatMap { it.rejected },
            found.flatMap { it.libraries },
        )
        show(all, DriverText::scan)
        if (all.rejected.isNotEmpty()) throw ProgramResult(failure)
    }
}
