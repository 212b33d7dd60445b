package dev.arraywright.kernel.driver

import dev.arraywright.spi.device.ByteSize
import dev.arraywright.spi.driver.DriverSetting
import dev.arraywright.spi.driver.DriverSetting.Type
import kotlin.time.Duration

/**
 * A setting that a driver takes, as its [DriverSetting] declares it.
 *
 * @property defaultValue null where the setting is absent unless configured
 * @property choices empty: any value of the type
 */
public data class DeclaredSetting(
    public val name: String,
    public val description: String,
    public val type: Type = Type.TEXT,
    public val defaultValue: String? = null,
    public val required: Boolean = false,
    public val choices: List<String> = emptyList(),
) {
    init {
        require(NAME.matches(name)) { "${shown(name)} is no setting's name: letters, digits and - . _, 64 at most" }
        requireOneLine("the description of setting '$name'", description)
        require(defaultValue == null || !required) { "setting '$name' is required and has a default value" }
        choices.forEach { choice ->
            require(fits(choice)) { "a choice of setting '$name': ${shown(choice)} is not ${words(type)}" }
        }
        require(choices.distinct().size == choices.size) { "setting '$name' has the same choice twice" }
        defaultValue?.let(::problemWith)?.let { throw IllegalArgumentException("the default value of $it") }
    }

    /** Why the setting cannot have this [value], in words for an operator; null if it can. */
    public fun problemWith(value: String): String? = when {
        !fits(value) -> "setting '$name': ${shown(value)} is not ${words(type)}"
        choices.isNotEmpty() && value !in choices ->
            "setting '$name': ${shown(value)} is not one of ${choices.joinToString()}"
        else -> null
    }

    private fun fits(value: String): Boolean = value.length <= LONGEST && when (type) {
        Type.TEXT -> true
        Type.INTEGER -> value.toLongOrNull() != null
        Type.BOOLEAN -> value == "true" || value == "false"
        Type.SIZE -> isSize(value)
        Type.DURATION -> Duration.parseOrNull(value) != null
    }

    private fun isSize(value: String): Boolean = try {
        ByteSize.parse(value)
        true
    } catch (_: IllegalArgumentException) {
        false
    }

    public companion object {
        /**
         * What an annotation says.
         *
         * @throws IllegalArgumentException if that makes no sense, in words for an operator
         */
        public fun of(declared: DriverSetting): DeclaredSetting = DeclaredSetting(
            declared.name,
            declared.description,
            declared.type,
            declared.defaultValue.ifEmpty { null },
            declared.required,
            declared.choices.toList(),
        )

        private const val LONGEST = 4096
        private val NAME = Regex("[A-Za-z0-9._-]{1,64}")

        private fun words(type: Type) = when (type) {
            Type.TEXT -> "a text of $LONGEST characters at most"
            Type.INTEGER -> "a whole number"
            Type.BOOLEAN -> "true or false"
            Type.SIZE -> "a size such as 64MiB"
            Type.DURATION -> "a duration such as 30s"
        }
    }
}

internal fun requireOneLine(what: String, text: String) {
    require(text.isNotBlank() && text.length <= LONGEST_LINE && text.none(Char::isISOControl)) {
        "$what is not one line of $LONGEST_LINE characters at most: ${shown(text)}"
    }
}

private const val LONGEST_LINE = 500
