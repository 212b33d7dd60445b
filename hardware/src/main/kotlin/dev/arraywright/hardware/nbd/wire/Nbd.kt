package dev.arraywright.hardware.nbd.wire

/**
 * Numbers of the NBD protocol, all big-endian on the wire.
 * Source: doc/proto.md of NetworkBlockDevice/nbd (public domain).
 */
internal object Nbd {
    const val PORT: Int = 10809

    /** "NBDMAGIC", the first eight bytes a server sends. */
    const val INIT_MAGIC: Long = 0x4e42444d41474943

    /** "IHAVEOPT", in the greeting and before each option. */
    const val OPTION_MAGIC: Long = 0x49484156454f5054
    const val OPTION_REPLY_MAGIC: Long = 0x0003e889045565a9
    const val REQUEST_MAGIC: Int = 0x25609513
    const val SIMPLE_REPLY_MAGIC: Int = 0x67446698
    const val CHUNK_MAGIC: Int = 0x668e33ef

    /** Longest string that the protocol allows, in bytes of UTF-8. */
    const val MAX_STRING: Int = 4096

    /** Largest payload that every peer takes without calling it an attack. */
    const val SAFE_PAYLOAD: Int = 1 shl 25
    const val MAX_MINIMUM_BLOCK: Int = 1 shl 16
    const val EXPORT_NAME_PADDING: Int = 124

    const val ALLOCATION_CONTEXT: String = "base:allocation"
    const val STATE_HOLE: Int = 1
    const val STATE_ZERO: Int = 2

    /** Flags that open the handshake; the client answers with the same bits. */
    object Handshake {
        const val FIXED_NEWSTYLE: Int = 1
        const val NO_ZEROES: Int = 2
    }

    /** What an export can do. */
    object Can {
        const val HAS_FLAGS: Int = 1
        const val READ_ONLY: Int = 1 shl 1
        const val FLUSH: Int = 1 shl 2
        const val FUA: Int = 1 shl 3
        const val ROTATIONAL: Int = 1 shl 4
        const val TRIM: Int = 1 shl 5
        const val WRITE_ZEROES: Int = 1 shl 6
        const val DF: Int = 1 shl 7
        const val MULTI_CONN: Int = 1 shl 8
        const val FAST_ZERO: Int = 1 shl 11
    }

    object Option {
        const val EXPORT_NAME: Int = 1
        const val ABORT: Int = 2
        const val LIST: Int = 3
        const val STARTTLS: Int = 5
        const val INFO: Int = 6
        const val GO: Int = 7
        const val STRUCTURED_REPLY: Int = 8
        const val LIST_META_CONTEXT: Int = 9
        const val SET_META_CONTEXT: Int = 10
        const val EXTENDED_HEADERS: Int = 11
    }

    /** Replies to options; errors have the top bit set. */
    object Rep {
        const val ACK: Int = 1
        const val SERVER: Int = 2
        const val INFO: Int = 3
        const val META_CONTEXT: Int = 4
        const val ERROR: Int = 1 shl 31
        const val ERR_UNSUP: Int = ERROR or 1
        const val ERR_POLICY: Int = ERROR or 2
        const val ERR_INVALID: Int = ERROR or 3
        const val ERR_PLATFORM: Int = ERROR or 4
        const val ERR_TLS_REQD: Int = ERROR or 5
        const val ERR_UNKNOWN: Int = ERROR or 6
        const val ERR_SHUTDOWN: Int = ERROR or 7
        const val ERR_BLOCK_SIZE_REQD: Int = ERROR or 8
        const val ERR_TOO_BIG: Int = ERROR or 9
    }

    object Info {
        const val EXPORT: Int = 0
        const val NAME: Int = 1
        const val DESCRIPTION: Int = 2
        const val BLOCK_SIZE: Int = 3
    }

    object Command {
        const val READ: Int = 0
        const val WRITE: Int = 1
        const val DISC: Int = 2
        const val FLUSH: Int = 3
        const val TRIM: Int = 4
        const val WRITE_ZEROES: Int = 6
        const val BLOCK_STATUS: Int = 7
    }

    object CommandFlag {
        const val FUA: Int = 1
        const val NO_HOLE: Int = 1 shl 1
        const val DF: Int = 1 shl 2
        const val REQ_ONE: Int = 1 shl 3
        const val FAST_ZERO: Int = 1 shl 4
    }

    /** Chunks of a structured reply; errors have bit 15 set. */
    object Chunk {
        const val FLAG_DONE: Int = 1
        const val NONE: Int = 0
        const val OFFSET_DATA: Int = 1
        const val OFFSET_HOLE: Int = 2
        const val BLOCK_STATUS: Int = 5
        const val ERROR_BIT: Int = 1 shl 15
        const val ERROR: Int = ERROR_BIT or 1
        const val ERROR_OFFSET: Int = ERROR_BIT or 2
    }

    object Errno {
        const val OK: Int = 0
        const val EPERM: Int = 1
        const val EIO: Int = 5
        const val ENOMEM: Int = 12
        const val EINVAL: Int = 22
        const val ENOSPC: Int = 28
        const val EOVERFLOW: Int = 75
        const val ENOTSUP: Int = 95
        const val ESHUTDOWN: Int = 108
    }
}
