package dev.arraywright.kernel.driver.isolate

/**
 * What drivers see of the application besides the JDK and `dev.arraywright.spi`: each pattern is one package
 * (`com.sun.jna`) or, ending in `.**`, a package and all below it (`org.slf4j.**`).
 *
 * What is shared is the application's alone: a copy that a driver brings is not used.
 *
 * @throws IllegalArgumentException if a pattern is neither
 */
public class SharedPackages(public val patterns: List<String>) {
    public constructor(vararg patterns: String) : this(patterns.toList())

    private val exact = patterns.filterNot { it.endsWith(BELOW) }.toSet()
    private val roots = patterns.filter { it.endsWith(BELOW) }.map { it.removeSuffix(BELOW) } + SPI

    init {
        patterns.forEach {
            require(PATTERN.matches(it)) { "'$it' is no package and no package with .** behind it, like org.slf4j.**" }
        }
    }

    /** Whether the classes and resources of [packageName] come from the application; true for the SPI. */
    public fun covers(packageName: String): Boolean =
        packageName in exact || roots.any { packageName == it || packageName.startsWith("$it.") }

    override fun toString(): String = (listOf(SPI) + patterns).joinToString()

    internal companion object {
        const val SPI = "dev.arraywright.spi"
        private const val BELOW = ".**"
        private val PATTERN = Regex("""\p{javaJavaIdentifierStart}[\w$]*(\.[\w$]+)*(\.\*\*)?""")
    }
}
