package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.raid.layout.RaidLevel
import java.util.function.Consumer

/**
 * [ArrayConfiguration], key by key; null stands for absent. What takes a list or a map sets all of it.
 */
@ConfigurationDsl
public class ArrayBuilder internal constructor(name: String) {
    private val sizes = SizeTexts()
    private var export: ExportBuilder? = null

    internal constructor(from: ArrayConfiguration) : this(from.name) {
        members = from.members
        export = from.export?.let { ExportBuilder(it) }
        spares = from.spares
        domains = from.domains
        level = from.level
        chunk = from.chunk
        bitmap = from.bitmap
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var name: String = name

    public fun name(value: String): ArrayBuilder = apply { name = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var members: List<String> = emptyList()

    public fun members(vararg values: String): ArrayBuilder = apply { members = values.toList() }

    /** Exports the array under [name], or changes its export. */
    @JvmSynthetic
    public fun export(name: String, change: ExportBuilder.() -> Unit) {
        exported(name).change()
    }

    public fun export(name: String, change: Consumer<ExportBuilder>): ArrayBuilder =
        apply { change.accept(exported(name)) }

    /** Exports the array under [name]. */
    public fun export(name: String): ArrayBuilder = apply { exported(name) }

    /** The array is not exported. */
    public fun removeExport(): ArrayBuilder = apply { export = null }

    private fun exported(name: String): ExportBuilder {
        val found = export ?: ExportBuilder(ExportConfiguration(name)).also { export = it }
        return found.name(name)
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var spares: List<String> = emptyList()

    public fun spares(vararg values: String): ArrayBuilder = apply { spares = values.toList() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var domains: Map<String, String> = emptyMap()

    public fun domains(value: Map<String, String>): ArrayBuilder = apply { domains = value.toMap() }

    /** Adds one of [domains]: that of the member or spare at [address]. */
    public fun domain(address: String, domain: String): ArrayBuilder = apply { domains += address to domain }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var level: String? = null

    public fun level(value: String?): ArrayBuilder = apply { level = value }

    public fun level(value: RaidLevel): ArrayBuilder = level(value.toString())

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var chunk: Long = ArraySpec.DEFAULT_CHUNK.toLong()

    public fun chunk(bytes: Long): ArrayBuilder = apply { chunk = bytes }

    public fun chunk(text: String): ArrayBuilder = apply { chunk = sizes.read(text) ?: chunk }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var bitmap: String? = null

    public fun bitmap(value: String?): ArrayBuilder = apply { bitmap = value }

    internal fun build(): ArrayConfiguration {
        sizes.check()
        return ArrayConfiguration(
            name,
            members.toList(),
            export?.build(),
            spares.toList(),
            domains.toMap(),
            level,
            chunk,
            bitmap,
        )
    }
}

/** [ExportConfiguration], key by key. */
@ConfigurationDsl
public class ExportBuilder internal constructor(from: ExportConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var name: String = from.name

    public fun name(value: String): ExportBuilder = apply { name = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var description: String = from.description

    public fun description(value: String): ExportBuilder = apply { description = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var readOnly: Boolean = from.readOnly

    public fun readOnly(value: Boolean): ExportBuilder = apply { readOnly = value }

    internal fun build(): ExportConfiguration = ExportConfiguration(
        name = name,
        description = description,
        readOnly = readOnly,
    )
}
