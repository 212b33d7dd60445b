package dev.arraywright.raid.metadata;

/**
 * Layout of md's write-intent bitmap, version 4: little-endian, offsets in bytes. Source of the
 * facts: Linux {@code drivers/md/md-bitmap.h}, md(4).
 *
 * <pre>
 *        0        4        8        12       16
 *   0  | magic  |version | uuid: the array's |
 *  16  |   ... 16 bytes  | events           |
 *  32  | events_cleared  | sync_size        | (sync_size in sectors)
 *  48  | state  | chunk  | sleep  | behind  | (chunk in bytes, sleep in seconds)
 *  64  |reserved| nodes  | cluster_name     | (reserved in sectors; nodes and name: clusters only)
 *  80  |   ... 64 bytes                     |
 * 136  | zero, 120 bytes                    |
 * 256  | bit of chunk 0, 1, ...: bit n is bit n%8 of byte 256 + n/8
 * </pre>
 *
 * <p>Bit n stands for the chunk of {@code chunk} bytes at n times that, in the measure of a resync:
 * bytes of each member's data, at level 10 bytes of the array. It is set on stable storage before
 * the chunk is written, and cleared lazily. {@code events} keeps up with the superblock's: a bitmap
 * that fell behind is stale. {@code events_cleared} is the array's events when a bit was last
 * cleared: a member that went before lacks things that the bitmap no longer tells. No checksum.
 */
public final class BitmapDescriptor {
  /** "bitm". */
  public static final int MAGIC = 0x6d746962;

  public static final int VERSION = 4;

  /** Where the bits begin. */
  public static final int HEADER_SIZE = 256;

  /** The state's flag of a bitmap that must not be used. */
  public static final int STALE = 2;

  /** The state's flag of a bitmap that could not be written. */
  public static final int WRITE_ERROR = 4;

  static final int HOST_ENDIAN_VERSION = 3;
  static final int CLUSTERED_VERSION = 5;
  static final int LOCKLESS_VERSION = 6;

  static final int MAGIC_AT = 0;
  static final int VERSION_AT = 4;
  static final int UUID_AT = 8;
  static final int EVENTS_AT = 24;
  static final int EVENTS_CLEARED_AT = 32;
  static final int SYNC_SIZE_AT = 40;
  static final int STATE_AT = 48;
  static final int CHUNK_AT = 52;
  static final int SLEEP_AT = 56;
  static final int WRITE_BEHIND_AT = 60;
  static final int RESERVED_AT = 64;
  static final int NODES_AT = 68;
  static final int CLUSTER_AT = 72;
  static final int PADDING_AT = 136;

  private BitmapDescriptor() {}
}
