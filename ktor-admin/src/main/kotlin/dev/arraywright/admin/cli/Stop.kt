package dev.arraywright.admin.cli

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.control.Holders

/** `arraywright stop` */
internal class Stop :
    Command(
        "stop",
        "Stop a running array; it must not be exported. A serving process assembles it again at its next start.",
        "arraywright stop vault",
        "arraywright stop vault --unexport --forget",
    ) {
    private val array by argument().help("the array's name")
    private val unexport by option().flag().help("end its exports first; their clients are cut off")
    private val forget by option().flag().help("and take it out of the configuration")

    override suspend fun execute() {
        Holders(places.runtime).of(array) { control ->
            if (unexport) control.exports().filter { it.array == array }.forEach { control.unexport(it.name) }
            control.stop(array, forget)
        }
        show(mapOf("stopped" to array)) { "stopped $array" }
    }
}
