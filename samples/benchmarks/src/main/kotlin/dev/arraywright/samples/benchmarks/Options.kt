package dev.arraywright.samples.benchmarks

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.samples.benchmarks.device.Model
import dev.arraywright.spi.device.ByteSize
import java.nio.file.Path
import kotlin.time.Duration

/** What `key=value` on the command line says; a key that nothing asked for is a mistake. */
internal open class KeyValues(arguments: List<String>) {
    private val given = arguments.associate {
        require('=' in it) { "'$it' is no key=value" }
        it.substringBefore('=') to it.substringAfter('=')
    }
    private val asked = sortedMapOf<String, String>()

    fun text(key: String, default: String): String {
        asked[key] = default
        return given[key] ?: default
    }

    fun int(key: String, default: Int): Int = number(key, text(key, "$default"))

    fun ints(key: String, default: String): List<Int> = text(key, default).split(',').map { number(key, it.trim()) }

    private fun number(key: String, text: String): Int =
        requireNotNull(text.toIntOrNull()) { "$key is a whole number, not $text" }

    fun size(key: String, default: String): Long = ByteSize.parse(text(key, default))

    fun duration(key: String, default: String): Duration = Duration.parse(text(key, default))

    /** To be called once all were asked for. */
    fun requireKnown() {
        val unknown = given.keys - asked.keys
        require(unknown.isEmpty()) {
            "unknown: ${unknown.joinToString()}; there are ${asked.entries.joinToString { "${it.key}=${it.value}" }}"
        }
    }
}

/** The options of benchmarks of arrays: what these are made of, and on which devices. */
internal class Options(arguments: List<String>) : KeyValues(arguments) {
    val devices = text("devices", "model").also {
        require(it in KINDS) { "devices are one of ${KINDS.joinToString()}, not $it" }
    }
    val model = Model(size("rate", "200MB"), duration("seek", "100us").inWholeNanoseconds, int("lanes", 4))
    val direct = text("direct", "true").toBooleanStrict()
    val directory: Path = Path.of(text("dir", System.getProperty("java.io.tmpdir")))
    val level: RaidLevel = RaidLevel.parse(text("level", "raid6"))
    val members = int("members", 6)
    val chunk = Math.toIntExact(size("chunk", "512KiB"))
    val rounds = int("rounds", 5)
    val seed = int("seed", 1)

    /** A default for files and memory, which take space, and one for modelled disks, which do not. */
    fun deviceSize(modelled: String, real: String): Long = size("size", if (devices == "model") modelled else real)

    fun describe(): String {
        val disk = if (devices == "model") {
            " (${model.rate / 1_000_000} MB/s, ${model.seek / 1000} us a seek, ${model.lanes} at once)"
        } else {
            ""
        }
        return "$level of $members, chunk ${ByteSize.format(chunk.toLong())}, devices=$devices$disk, $rounds rounds"
    }

    private companion object {
        val KINDS = listOf("model", "files", "loops", "memory")
    }
}
