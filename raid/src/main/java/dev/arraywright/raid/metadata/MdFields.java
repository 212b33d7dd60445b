package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.SECTOR;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.UUID;

/** How md writes identities, times and lengths; buffers are little-endian. */
final class MdFields {
  private static final int SECONDS_BITS = 40;

  private MdFields() {}

  static UUID uuid(ByteBuffer source, int at) {
    return new UUID(
        Long.reverseBytes(source.getLong(at)), Long.reverseBytes(source.getLong(at + 8)));
  }

  static void putUuid(ByteBuffer target, int at, UUID uuid) {
    target.putLong(at, Long.reverseBytes(uuid.getMostSignificantBits()));
    target.putLong(at + 8, Long.reverseBytes(uuid.getLeastSignificantBits()));
  }

  static Instant time(long value) {
    return Instant.ofEpochSecond(value & (1L << SECONDS_BITS) - 1, (value >>> SECONDS_BITS) * 1000);
  }

  /** 40 bits of seconds, 24 bits of microseconds. */
  static long mdTime(Instant time) {
    long seconds = time.getEpochSecond() & (1L << SECONDS_BITS) - 1;
    return seconds | (long) (time.getNano() / 1000) << SECONDS_BITS;
  }

  static long sectors(long bytes) {
    if (bytes < 0 || bytes % SECTOR != 0) {
      throw new IllegalArgumentException("no whole number of sectors: " + bytes + " bytes");
    }
    return bytes / SECTOR;
  }

  /** A resync or recovery offset: sectors beyond any member count as the end. */
  static long progress(long sectors) {
    return sectors < 0 || sectors > Long.MAX_VALUE / SECTOR ? Superblock.IN_SYNC : sectors * SECTOR;
  }
}
