package dev.arraywright.samples.benchmarks.machine

import dev.arraywright.samples.benchmarks.KeyValues
import dev.arraywright.samples.benchmarks.Series
import dev.arraywright.samples.benchmarks.form
import dev.arraywright.samples.benchmarks.printTable
import java.nio.file.Files
import java.nio.file.Path

/** What it takes to find a machine's devices in a JVM that has just begun, and to see that one of them has changed. */
internal class Discovery(options: KeyValues) {
    private val devices = options.int("devices", 1000)
    private val rounds = options.int("rounds", 7)
    private val changes = options.int("changes", 500)
    private val directory = Path.of(options.text("dir", System.getProperty("java.io.tmpdir")))
    private val series = LinkedHashMap<String, Series>()

    suspend fun run() {
        println("discovery: $devices block devices, new JVMs in each of $rounds rounds, $changes changes in each")
        val root = Files.createTempDirectory(directory, "discovery")
        try {
            val shelves = Shelves(root, devices).apply { make() }
            // round 0 is for the page cache
            for (round in 0..rounds) round(round, shelves)
        } finally {
            Shelves.remove(root)
        }
        show()
    }

    private fun round(round: Int, shelves: Shelves) {
        val middle = shelves.whole[shelves.whole.size / 2]
        val look = listOf(shelves.sys, shelves.proc, devices, if (round == 0) 5 else changes, middle)
        val found = FreshJvm("look", look).found()
        val plain = listOf(shelves.sys, found.getValue("full.calls")) + shelves.whole
        val anchor = FreshJvm("read", plain).found()
        if (round > 0) for ((name, value) in found + anchor) put(name, value.toDouble())
        if (round > 0) put("first/plain", found.figure("first.ns") / anchor.figure("plain.ns"))
        if (round > 0) put("first/plain.cpu", found.figure("first.cpu") / anchor.figure("plain.cpu"))
        if (round > 0) put("single/plain", found.figure("single.median") / found.figure("plain.median"))
    }

    private fun Map<String, String>.figure(name: String) = getValue(name).toDouble()

    private fun put(name: String, value: Double) {
        series.getOrPut(name, ::Series) += value
    }

    private fun show() {
        println("each: the rounds' median [least most]; milliseconds")
        val rows = listOf(
            row("first look, cold", "first.ns", "first.cpu", "300 at most"),
            row("anchor: plain reads of as many files, cold", "plain.ns", "plain.cpu", ""),
            listOf("first look/anchor", one("first/plain", 1.0, 2), one("first/plain.cpu", 1.0, 2), ""),
        )
        printTable(listOf(listOf("", "wall", "CPU, all threads", "target, quiet machine")) + rows)
        println()
        val changes = listOf(
            row("one change, until in devices", "single.median", "single.p99", "5 at most"),
            row("one change, until told by changes", "told.median", "told.p99", ""),
            row("anchor: plain reads of 8 files", "plain.median", "plain.p99", ""),
            listOf("the very first change", one("single.first", 1e6, 3), "", "5 at most"),
            listOf("one change/anchor", one("single/plain", 1.0, 1), "", ""),
        )
        printTable(listOf(listOf("", "median", "p99", "target, quiet machine")) + changes)
        println()
        for ((what, name) in listOf("a full look" to "full", "a look at one device" to "single")) {
            val (calls, bytes) = series.getValue("$name.calls").median to series.getValue("$name.bytes").median
            println("%s: %.0f read calls, %.0f bytes".form(what, calls, bytes))
        }
    }

    private fun row(title: String, first: String, second: String, target: String) =
        listOf(title, one(first, 1e6, 3), one(second, 1e6, 3), target)

    private fun one(name: String, unit: Double, digits: Int): String = series.getValue(name).show(digits, unit)
}
