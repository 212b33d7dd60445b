package dev.arraywright.hardware.tree

import io.kotest.property.Arb
import io.kotest.property.arbitrary.arbitrary
import kotlin.random.Random

/** Files of the fixtures [trees] at [paths], damaged in a few places: [pieces] put in, some cut out, or cut off. */
internal fun damaged(trees: List<String>, paths: List<String>, pieces: List<String>): Arb<String> {
    val texts = trees.flatMap { name ->
        val root = SystemTree(TreeFixture.of(name))
        paths.mapNotNull { root.text(it) }
    }
    return arbitrary { source -> source.random.let { mutate(texts.random(it), pieces, it) } }
}

private fun mutate(text: String, pieces: List<String>, random: Random): String {
    val mutated = StringBuilder(text)
    repeat(random.nextInt(1, 6)) {
        val at = random.nextInt(mutated.length + 1)
        when (random.nextInt(4)) {
            0 -> mutated.insert(at, pieces.random(random))
            1 -> mutated.delete(at, minOf(mutated.length, at + random.nextInt(20)))
            2 -> if (at < mutated.length) mutated.setCharAt(at, random.nextInt(0x2000).toChar())
            else -> mutated.setLength(at)
        }
    }
    return mutated.toString()
}
