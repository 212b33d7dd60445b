package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;

import dev.arraywright.raid.metadata.SuperblockException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Decides whether bytes are a superblock to act on. Nothing is believed before the checksum but
 * max_dev, which is bounded first; nothing after it without a look at its range. Padding has to be
 * zero, as the kernel wants it; bytes that have no meaning here (a reshape's fields) are kept.
 */
final class SuperblockParser {
  private static final int MAX_CHUNK = 1 << 30;
  private static final long MAX_SECTORS = Long.MAX_VALUE / SECTOR;

  private final ByteBuffer sb;

  private SuperblockParser(ByteBuffer sb) {
    this.sb = sb;
  }

  /** The superblock's own bytes, checked. */
  static byte[] parse(ByteBuffer source) throws SuperblockException {
    ByteBuffer sb = source.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (sb.limit() < HEADER_SIZE || sb.getInt(MAGIC_AT) != MAGIC) {
      throw new SuperblockException(Reason.NONE, "no md superblock 1.2: the magic is missing");
    }
    SuperblockParser parser = new SuperblockParser(sb);
    int size = parser.checkIntegrity();
    parser.checkFeatures();
    parser.checkArray();
    parser.checkMember(size);
    byte[] bytes = new byte[size];
    sb.get(0, bytes);
    return bytes;
  }

  /** md's sum: 32-bit words (and a 16-bit rest) with the checksum as 0, the carries added once. */
  static int checksum(ByteBuffer sb, int size) {
    long sum = -Integer.toUnsignedLong(sb.getInt(CHECKSUM_AT));
    int at = 0;
    for (; at <= size - 4; at += 4) {
      sum += Integer.toUnsignedLong(sb.getInt(at));
    }
    if (at < size) {
      sum += Short.toUnsignedInt(sb.getShort(at));
    }
    return (int) (sum + (sum >>> 32));
  }

  private int checkIntegrity() throws SuperblockException {
    int major = sb.getInt(MAJOR_AT);
    if (major != MAJOR_VERSION) {
      throw new SuperblockException(
          Reason.UNSUPPORTED_VERSION,
          "md superblock of major version " + Integer.toUnsignedString(major) + ", not 1");
    }
    int roles = sb.getInt(MAX_DEV_AT);
    if (roles < 0 || roles > MAX_ROLES || HEADER_SIZE + ROLE_SIZE * roles > sb.limit()) {
      throw corrupt(
          "room for %s devices, where %d is the most", Integer.toUnsignedString(roles), MAX_ROLES);
    }
    int size = HEADER_SIZE + ROLE_SIZE * roles;
    int stored = sb.getInt(CHECKSUM_AT);
    int computed = checksum(sb, size);
    if (stored != computed) {
      throw new SuperblockException(
          Reason.BAD_CHECKSUM,
          "md superblock with checksum %08x, its bytes give %08x: it is torn or damaged"
              .formatted(stored, computed));
    }
    return size;
  }

  private void checkFeatures() throws SuperblockException {
    int map = sb.getInt(FEATURES_AT);
    int rest = map;
    for (Feature feature : Feature.values()) {
      if (feature.in(map) && feature.refusal != null) {
        throw new SuperblockException(
            Reason.UNSUPPORTED_FEATURE, "md feature %s: %s".formatted(feature, feature.refusal));
      }
      rest &= ~feature.bit;
    }
    if (rest != 0) {
      throw new SuperblockException(
          Reason.UNSUPPORTED_FEATURE,
          "unknown md feature bit 0x%x: written by a newer md than is understood here"
              .formatted(Integer.lowestOneBit(rest)));
    }
    boolean zero = sb.getInt(PAD0_AT) == 0;
    for (int at = PAD3_AT; at < HEADER_SIZE; at++) {
      zero &= sb.get(at) == 0;
    }
    if (!zero) {
      throw corrupt("padding that is not zero");
    }
  }

  private void checkArray() throws SuperblockException {
    int level = sb.getInt(LEVEL_AT);
    if (!Superblock.LEVELS.contains(level)) {
      throw new SuperblockException(
          Reason.UNSUPPORTED_FEATURE,
          "md level %d: only %s are understood here".formatted(level, Superblock.LEVELS));
    }
    int disks = sb.getInt(RAID_DISKS_AT);
    if (disks < 1 || disks > MAX_ROLES) {
      throw corrupt("%s raid devices", Integer.toUnsignedString(disks));
    }
    if (level != 1) {
      long chunk = Integer.toUnsignedLong(sb.getInt(CHUNK_AT)) * SECTOR;
      boolean odd = level != 0 && (chunk < 4096 || Long.bitCount(chunk) != 1);
      if (chunk == 0 || chunk > MAX_CHUNK || odd) {
        throw corrupt("a chunk size of %d bytes at level %d", chunk, level);
      }
    }
  }

  private void checkMember(int size) throws SuperblockException {
    long superOffset = sb.getLong(SUPER_OFFSET_AT);
    if (superOffset != SUPERBLOCK_OFFSET / SECTOR) {
      throw new SuperblockException(
          Reason.UNSUPPORTED_VERSION,
          "md superblock made for sector %s, not for 8 as version 1.2: another version, or a copy"
              .formatted(Long.toUnsignedString(superOffset)));
    }
    long offset = sb.getLong(DATA_OFFSET_AT);
    long length = sb.getLong(DATA_SIZE_AT);
    long used = sb.getLong(SIZE_AT);
    if (offset < 0 || length < 0 || offset > MAX_SECTORS || length > MAX_SECTORS - offset) {
      throw corrupt("data of %d sectors at sector %d", length, offset);
    }
    if (offset * SECTOR < SUPERBLOCK_OFFSET + size) {
      throw corrupt("data at sector %d, inside the superblock", offset);
    }
    if (used < 0 || used > length) {
      throw corrupt("%d sectors used of %d", used, length);
    }
    int map = sb.getInt(FEATURES_AT);
    long bitmap = SUPERBLOCK_OFFSET / SECTOR + (long) sb.getInt(BITMAP_OFFSET_AT);
    if (Feature.BITMAP_OFFSET.in(map) && (bitmap < 0 || bitmap >= offset)) {
      throw corrupt("a bitmap at sector %d of the member, data begins at %d", bitmap, offset);
    }
    if (Feature.BITMAP_OFFSET.in(map) && bitmap * SECTOR >= SUPERBLOCK_OFFSET) {
      if (bitmap * SECTOR < SUPERBLOCK_OFFSET + size) {
        throw corrupt("a bitmap at sector %d, inside the superblock", bitmap);
      }
    }
    long recovered = sb.getLong(RECOVERY_OFFSET_AT);
    if (Feature.RECOVERY_OFFSET.in(map) && (recovered < 0 || recovered > length)) {
      throw corrupt("%s sectors rebuilt of %d", Long.toUnsignedString(recovered), length);
    }
    int role = new Superblock(sb).role();
    if (role < Superblock.JOURNAL && role >= sb.getInt(RAID_DISKS_AT)) {
      throw corrupt("the member as number %d of %d", role, sb.getInt(RAID_DISKS_AT));
    }
  }

  private static SuperblockException corrupt(String format, Object... args) {
    return new SuperblockException(
        Reason.CORRUPT,
        "md superblock with a correct checksum, but " + format.formatted(args) + ": not usable");
  }
}
