package dev.arraywright.admin.cli

import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.help
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import dev.arraywright.admin.console.Command
import dev.arraywright.admin.console.DetailText
import dev.arraywright.admin.console.MemberWord
import dev.arraywright.admin.control.Candidates
import dev.arraywright.admin.control.Control
import dev.arraywright.admin.control.Holders
import dev.arraywright.admin.control.withKernel
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.spare.ScrubView

/** `arraywright detail`; exit codes with `--test` are those of mdadm(8)'s `--detail --test`. */
internal class Detail :
    Command(
        "detail",
        "Show running arrays, or by its members one that is not running. With --test the exit code tells: " +
            "0 optimal, 1 degraded, 2 unusable, 4 an error.",
        "arraywright detail",
        "arraywright detail vault --test",
        "arraywright detail m0.img m1.img m2.img m3.img m4.img -o json",
    ) {
    private val words by argument(
        "ARRAY or MEMBER",
    ).multiple().help("a running array's name, or members; all running arrays unless given")
    private val test by option().flag().help("set the exit code by the worst array shown")

    private val scrubs = mutableMapOf<String, ScrubView>()

    override val failure: Int get() = ERROR

    override suspend fun execute() {
        val shown = when {
            words.isEmpty() -> running()
            words.all(MemberWord::meansMember) -> examined(words.map(MemberWord::address))
            else -> words.map { name -> Holders(places.runtime).of(name) { it.array(name).also { _ -> scrubs(it) } } }
        }
        show(shown) { arrays ->
            if (arrays.isEmpty()) return@show "no array is running"
            arrays.joinToString("\n\n") { DetailText.of(it, scrubs[it.name]) }
        }
        if (test) throw ProgramResult(shown.maxOfOrNull(::code) ?: ERROR)
    }

    private suspend fun running(): List<ArrayStatus> = Holders(places.runtime).all().flatMap {
        it.use { c -> c.arrays().also { scrubs(c) } }
    }

    private suspend fun scrubs(control: Control) {
        if (!printsJson) control.protection.status().scrubs.forEach { scrubs[it.array] = it }
    }

    private suspend fun examined(members: List<String>): List<ArrayStatus> = withKernel { kernel ->
        val all = members.map { kernel.examine(it) }
        all.find { it.superblock == null }?.let {
            throw KernelError.DeviceUnusable(
                "${it.address} is no member",
                it.problem.orEmpty(),
                "leave it out, or look at the path",
            )
        }
        Candidates.of(all).arrays.map { it.status() }
    }

    private fun code(array: ArrayStatus): Int = when (array.health) {
        ArrayHealth.OPTIMAL -> 0
        ArrayHealth.DEGRADED -> 1
        ArrayHealth.FAILED, ArrayHealth.STOPPED -> 2
    }

    private companion object {
        const val ERROR = 4
    }
}
