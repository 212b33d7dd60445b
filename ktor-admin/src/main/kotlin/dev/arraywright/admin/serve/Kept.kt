package dev.arraywright.admin.serve

import java.nio.file.Path
import kotlin.io.path.name

/** Where a serving process keeps its events ([journal]) and what it remembers of scrubs ([state]): directories. */
internal data class Kept(val journal: Path, val state: Path) {
    companion object {
        /** Beside a configuration file, under its name: `arraywright.journal` and `arraywright.state`. */
        fun beside(configuration: Path): Kept {
            val file = configuration.toAbsolutePath().normalize()
            val stem = file.name.removeSuffix(".json")
            return Kept(file.resolveSibling("$stem.journal"), file.resolveSibling("$stem.state"))
        }
    }
}
