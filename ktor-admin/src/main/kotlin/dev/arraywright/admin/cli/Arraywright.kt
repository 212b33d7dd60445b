package dev.arraywright.admin.cli

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.subcommands
import com.github.ajalt.clikt.parameters.options.versionOption
import dev.arraywright.admin.cli.config.config
import dev.arraywright.admin.cli.driver.driver
import dev.arraywright.admin.cli.machine.hardware
import dev.arraywright.admin.cli.protect.Events
import dev.arraywright.admin.cli.protect.policy
import dev.arraywright.admin.cli.protect.rebuild
import dev.arraywright.admin.cli.protect.scrub
import dev.arraywright.admin.cli.protect.spare
import dev.arraywright.admin.control.MemberChange
import dev.arraywright.admin.demo.Demo

/** The command `arraywright` with its subcommands. Build one a run: Clikt keeps parsed values in it. */
internal class Arraywright : SuspendingCliktCommand("arraywright") {
    init {
        versionOption(VERSION, message = { "arraywright $it" })
        subcommands(
            Create(),
            Assemble(),
            Stop(),
            Detail(),
            ChangeMember(
                MemberChange.FAIL,
                "Fail a member: it is written to no more, and the array serves without it.",
                "arraywright fail vault m3.img",
                "arraywright fail vault 3",
            ),
            ChangeMember(
                MemberChange.ADD,
                "Add a member: it is rebuilt where one is missing, else it is a spare.",
                "arraywright add vault m5.img",
                "arraywright add vault m5.img --members m0.img m1.img m2.img m4.img",
            ),
            ChangeMember(
                MemberChange.REMOVE,
                "Remove a failed member or a spare, so that it is free for something else.",
                "arraywright remove vault m3.img",
            ),
            spare(),
            rebuild(),
            scrub(),
            policy(),
            hardware(),
            driver(),
            config(),
            Events(),
            Export(),
            Serve(),
            Demo(),
        )
    }

    override fun help(context: Context): String =
        "RAID arrays in Linux md's format, from files and disks to a block device."

    override fun helpEpilog(context: Context): String =
        "arraywright COMMAND --help shows a command's options and examples. Exit codes: 0 done, 1 refused or failed, " +
            "2 wrong usage; detail has its own."

    override suspend fun run(): Unit = Unit

    private companion object {
        val VERSION: String = Arraywright::class.java.getResourceAsStream("/arraywright-version")
            ?.use { it.readBytes().decodeToString().trim() } ?: "unknown"
    }
}
