package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.BitmapDescriptor.*;
import static dev.arraywright.raid.metadata.SuperblockDescriptor.SECTOR;

import dev.arraywright.raid.metadata.BitmapException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Decides whether bytes are a bitmap's header. It has no checksum, so every field is looked at,
 * with the kernel's own limits where it has any.
 */
final class BitmapParser {
  private static final int MIN_CHUNK = 512;
  private static final int MAX_CHUNK = 1 << 30;
  private static final int MAX_WRITE_BEHIND = (1 << 14) - 1;
  private static final long MAX_UNSIGNED = 0xffff_ffffL;

  private BitmapParser() {}

  static BitmapHeader parse(ByteBuffer source) throws BitmapException {
    ByteBuffer b = source.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (b.limit() < HEADER_SIZE || b.getInt(MAGIC_AT) != MAGIC) {
      throw new BitmapException(Reason.NONE, "no md bitmap: the magic is missing");
    }
    checkVersion(b.getInt(VERSION_AT));
    checkPadding(b);
    long sectors = b.getLong(SYNC_SIZE_AT);
    long chunk = Integer.toUnsignedLong(b.getInt(CHUNK_AT));
    long reserved = Integer.toUnsignedLong(b.getInt(RESERVED_AT));
    refuse(
        fault(
            b.getLong(EVENTS_AT),
            b.getLong(EVENTS_CLEARED_AT),
            b.getInt(STATE_AT),
            chunk,
            b.getInt(SLEEP_AT),
            b.getInt(WRITE_BEHIND_AT),
            reserved));
    if (sectors <= 0 || sectors > Long.MAX_VALUE / SECTOR) {
      refuse("a sync size of " + Long.toUnsignedString(sectors) + " sectors");
    }
    long size = sectors * SECTOR;
    if (Math.ceilDiv(size, chunk) > BitmapHeader.MAX_CHUNKS) {
      throw unsupported("%d bits, where %d is the most", size / chunk, BitmapHeader.MAX_CHUNKS);
    }
    refuse(sizeFault(size, chunk, reserved));
    return new BitmapHeader(
        MdFields.uuid(b, UUID_AT),
        b.getLong(EVENTS_AT),
        b.getLong(EVENTS_CLEARED_AT),
        size,
        b.getInt(STATE_AT),
        (int) chunk,
        b.getInt(SLEEP_AT),
        b.getInt(WRITE_BEHIND_AT),
        reserved);
  }

  /** What is wrong with a field on its own, or null. */
  static String fault(
      long events, long cleared, int state, long chunk, int sleep, int behind, long reserved) {
    if (events < 0 || cleared < 0) {
      return "%s events, %s when cleared"
          .formatted(Long.toUnsignedString(events), Long.toUnsignedString(cleared));
    }
    if ((state & ~(STALE | WRITE_ERROR)) != 0) {
      return "an unknown state 0x%x".formatted(state);
    }
    if (chunk < MIN_CHUNK || chunk > MAX_CHUNK || Long.bitCount(chunk) != 1) {
      return "a chunk of %d bytes, no power of two from 512 to 1 GiB".formatted(chunk);
    }
    if (sleep < 1) {
      return "a pass every %s seconds".formatted(Integer.toUnsignedString(sleep));
    }
    if (behind < 0 || behind > MAX_WRITE_BEHIND) {
      return "%s writes behind".formatted(Integer.toUnsignedString(behind));
    }
    return reserved < 0 || reserved > MAX_UNSIGNED ? reserved + " sectors reserved" : null;
  }

  /** What is wrong with the number of bits, or null; the chunk is sound. */
  static String sizeFault(long syncSize, long chunk, long reserved) {
    if (syncSize <= 0 || syncSize % SECTOR != 0) {
      return "a sync size of %d bytes".formatted(syncSize);
    }
    long bits = Math.ceilDiv(syncSize, chunk);
    if (bits > BitmapHeader.MAX_CHUNKS) {
      return "%d bits, where %d is the most".formatted(bits, BitmapHeader.MAX_CHUNKS);
    }
    boolean small = reserved > 0 && HEADER_SIZE + Math.ceilDiv(bits, 8L) > reserved * SECTOR;
    return small ? "%d bits in %d sectors".formatted(bits, reserved) : null;
  }

  private static void checkVersion(int version) throws BitmapException {
    switch (version) {
      case VERSION -> {}
      case HOST_ENDIAN_VERSION ->
          throw unsupported("version 3, in the byte order of the host that wrote it");
      case CLUSTERED_VERSION -> throw unsupported("version 5: the array belongs to a cluster");
      case LOCKLESS_VERSION -> throw unsupported("version 6: lockless");
      default -> throw unsupported("version %s", Integer.toUnsignedString(version));
    }
  }

  private static void checkPadding(ByteBuffer b) throws BitmapException {
    if (b.getInt(NODES_AT) != 0) {
      throw unsupported("%s nodes of a cluster", Integer.toUnsignedString(b.getInt(NODES_AT)));
    }
    for (int at = CLUSTER_AT; at < HEADER_SIZE; at++) {
      if (b.get(at) != 0) {
        refuse(at < PADDING_AT ? "a cluster's name" : "padding that is not zero");
      }
    }
  }

  private static void refuse(String fault) throws BitmapException {
    if (fault != null) {
      throw new BitmapException(Reason.CORRUPT, "md bitmap with " + fault + ": not usable");
    }
  }

  private static BitmapException unsupported(String format, Object... args) {
    return new BitmapException(
        Reason.UNSUPPORTED, "md bitmap of " + format.formatted(args) + ": not understood here");
  }
}
