package dev.arraywright.kernel.embed

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.raid.layout.RaidLevel

/**
 * [ArraySpec] for Java, step by step; each call returns a new request:
 * `ArrayRequest.named("vault").level(RaidLevel.RAID6).members("memory:64MiB#a", …)`.
 */
public class ArrayRequest private constructor(private val spec: ArraySpec) {
    public fun level(level: RaidLevel): ArrayRequest = ArrayRequest(spec.copy(level = level))

    /** Addresses, in the order of the slots. */
    public fun members(vararg addresses: String): ArrayRequest = ArrayRequest(spec.copy(members = addresses.toList()))

    public fun spares(vararg addresses: String): ArrayRequest = ArrayRequest(spec.copy(spares = addresses.toList()))

    /** Bytes of a chunk. */
    public fun chunk(bytes: Int): ArrayRequest = ArrayRequest(spec.copy(chunk = bytes))

    /** Creates member files that do not exist, with this many bytes each. */
    public fun createFilesOf(bytes: Long): ArrayRequest = ArrayRequest(spec.copy(createFilesOf = bytes))

    /** Keeps a write-intent bitmap, as coarse as md makes it: a resync or a re-add touches only what was written. */
    public fun bitmap(): ArrayRequest = ArrayRequest(spec.copy(bitmapChunk = ArraySpec.AUTO_BITMAP))

    /** Skips the first resync: right only for members that are all zeroes, as fresh memory and fresh files are. */
    public fun assumeClean(): ArrayRequest = ArrayRequest(spec.copy(assumeClean = true))

    /** Makes the array although members belong to another one. */
    public fun force(): ArrayRequest = ArrayRequest(spec.copy(force = true))

    internal fun spec(): ArraySpec = spec

    public companion object {
        /** An array of two mirrored members until told otherwise. */
        @JvmStatic
        public fun named(name: String): ArrayRequest = ArrayRequest(ArraySpec(name, RaidLevel.RAID1, emptyList()))
    }
}
