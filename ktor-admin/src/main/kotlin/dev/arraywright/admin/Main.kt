package dev.arraywright.admin

import com.github.ajalt.mordant.terminal.Terminal
import kotlinx.coroutines.runBlocking
import kotlin.system.exitProcess

/** The command line. */
public fun main(args: Array<String>) {
    // It would greet on standard output, among what programs read.
    System.setProperty("kotlin-logging.logStartupMessage", "false")
    val status = runBlocking { CommandLine(Terminal(), System::getenv).run(args.asList()) }
    if (status != 0) exitProcess(status)
}
