package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * One member's md superblock 1.2: what array it belongs to, as which member, and how current it is.
 *
 * <p>An immutable, typed view of the bytes of {@link SuperblockDescriptor}; what has no accessor is
 * carried through unchanged, so parse and encode give the same bytes. Offsets and sizes are bytes
 * here, sectors on disk. A value of this type passed every check of {@link #parse}, or came from
 * {@link NewArray} or one of the {@code with} methods. Thread-safe.
 */
public final class Superblock {
  /** A resync or recovery offset: there is nothing left to do. */
  public static final long IN_SYNC = Long.MAX_VALUE;

  /** Roles that are no place in the array. */
  public static final int SPARE = 0xffff;

  public static final int FAULTY = 0xfffe;
  public static final int JOURNAL = 0xfffd;

  /** The md levels that are understood. */
  static final List<Integer> LEVELS = List.of(0, 1, 5, 6, 10);

  private final ByteBuffer sb;

  /** Keeps {@code sb}: little-endian, position 0, and nobody's to change. */
  Superblock(ByteBuffer sb) {
    this.sb = sb;
  }

  /**
   * Reads a superblock from the buffer's position, which stays; up to 4096 bytes are looked at.
   * Bytes that are not a superblock to act on are a {@link SuperblockException}, whatever they are.
   */
  public static Superblock parse(ByteBuffer source) throws SuperblockException {
    return new Superblock(
        ByteBuffer.wrap(SuperblockParser.parse(source)).order(ByteOrder.LITTLE_ENDIAN));
  }

  /**
   * The bytes to write at {@link SuperblockDescriptor#SUPERBLOCK_OFFSET}, from position 0, padded
   * with zeroes to a multiple of {@code blockSize}; only that much belongs to the superblock, as
   * Linux may keep a bitmap right behind it.
   */
  public ByteBuffer encode(int blockSize) {
    int size = Math.ceilDiv(sb.limit(), blockSize) * blockSize;
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    out.put(0, sb, 0, sb.limit());
    return out;
  }

  /** The map's bits as md counts them. */
  public int featureMap() {
    return sb.getInt(FEATURES_AT);
  }

  /** The array's identity: the same on all of its members. */
  public UUID setUuid() {
    return MdFields.uuid(sb, SET_UUID_AT);
  }

  /** Up to 32 bytes; mdadm writes {@code host:name}. */
  public String name() {
    byte[] name = new byte[NAME_SIZE];
    sb.get(NAME_AT, name);
    int end = 0;
    while (end < NAME_SIZE && name[end] != 0) {
      end++;
    }
    return new String(name, 0, end, StandardCharsets.UTF_8);
  }

  /** When the array was made. */
  public Instant created() {
    return MdFields.time(sb.getLong(CTIME_AT));
  }

  /** When this superblock was last written. */
  public Instant updated() {
    return MdFields.time(sb.getLong(UTIME_AT));
  }

  /** 0, 1, 5, 6 or 10. */
  public int level() {
    return sb.getInt(LEVEL_AT);
  }

  /** How the level places chunks, in md's code for it. */
  public int layout() {
    return sb.getInt(LAYOUT_AT);
  }

  /** Bytes a chunk; 0 where the level has none. */
  public int chunkSize() {
    return level() == 1 ? 0 : sb.getInt(CHUNK_AT) * SECTOR;
  }

  /** Members that the array has when it is complete. */
  public int raidDisks() {
    return sb.getInt(RAID_DISKS_AT);
  }

  /** Bytes of each member that the array uses; at level 0, which has no such limit, 0. */
  public long size() {
    return sb.getLong(SIZE_AT) * SECTOR;
  }

  /** Where this member's data begins, from its start. */
  public long dataOffset() {
    return sb.getLong(DATA_OFFSET_AT) * SECTOR;
  }

  /** Bytes that this member has for data. */
  public long dataSize() {
    return sb.getLong(DATA_SIZE_AT) * SECTOR;
  }

  /** This member's number: the index of its role, the same for its life in the array. */
  public int devNumber() {
    return sb.getInt(DEV_NUMBER_AT);
  }

  public UUID deviceUuid() {
    return MdFields.uuid(sb, DEVICE_UUID_AT);
  }

  /** Read errors that were cured by rewriting. */
  public int correctedReads() {
    return sb.getInt(CORRECTED_READS_AT);
  }

  /** Bit 0 write-mostly, bit 1 fail-fast. */
  public int devFlags() {
    return Byte.toUnsignedInt(sb.get(DEV_FLAGS_AT));
  }

  /** True if there is a write-intent bitmap, at {@link #bitmapOffset()}. */
  public boolean hasBitmap() {
    return Feature.BITMAP_OFFSET.in(featureMap());
  }

  /** Where the bitmap begins, from the superblock; meaningful if {@link #hasBitmap()}. */
  public long bitmapOffset() {
    return (long) sb.getInt(BITMAP_OFFSET_AT) * SECTOR;
  }

  /** Bytes reserved for the bad-block log, which is empty; 0 if there is none. */
  public long badBlockLogSize() {
    return (long) Short.toUnsignedInt(sb.getShort(BAD_BLOCK_SIZE_AT)) * SECTOR;
  }

  /** Where the bad-block log begins, from the superblock. */
  public long badBlockLogOffset() {
    return (long) sb.getInt(BAD_BLOCK_OFFSET_AT) * SECTOR;
  }

  /** Moves on with every change of the array's state; the members with the most are current. */
  public long events() {
    return sb.getLong(EVENTS_AT);
  }

  /** Below it redundancy agrees with the data; {@link #IN_SYNC} if all of it does ("clean"). */
  public long resyncOffset() {
    return MdFields.progress(sb.getLong(RESYNC_OFFSET_AT));
  }

  /** True if nothing was being written, and redundancy agrees with the data throughout. */
  public boolean clean() {
    return resyncOffset() == IN_SYNC;
  }

  /** Below it this member is rebuilt, counted from its data; {@link #IN_SYNC} if it is whole. */
  public long recoveryOffset() {
    return Feature.RECOVERY_OFFSET.in(featureMap())
        ? MdFields.progress(sb.getLong(RECOVERY_OFFSET_AT))
        : IN_SYNC;
  }

  /** True if beyond {@link #recoveryOffset()} only what the bitmap has set is to be rebuilt. */
  public boolean recoveryByBitmap() {
    return Feature.RECOVERY_OFFSET.in(featureMap()) && Feature.RECOVERY_BITMAP.in(featureMap());
  }

  /** True if this member is to replace the one that has the same role. */
  public boolean isReplacement() {
    return Feature.REPLACEMENT.in(featureMap());
  }

  /** How many device numbers this superblock has roles for. */
  public int maxDev() {
    return sb.getInt(MAX_DEV_AT);
  }

  /** This member's role: its place in the array, or {@link #SPARE}, {@link #FAULTY} and so on. */
  public int role() {
    return role(devNumber());
  }

  /** The role of any device number; one that is not recorded is a spare, as in the kernel. */
  public int role(int devNumber) {
    return devNumber < 0 || devNumber >= maxDev()
        ? SPARE
        : Short.toUnsignedInt(sb.getShort(HEADER_SIZE + ROLE_SIZE * devNumber));
  }

  public Superblock withEvents(long events) {
    return with(b -> b.putLong(EVENTS_AT, events));
  }

  /** Kept to the microsecond. */
  public Superblock withUpdated(Instant time) {
    return with(b -> b.putLong(UTIME_AT, MdFields.mdTime(time)));
  }

  /** Bytes, a multiple of 512, or {@link #IN_SYNC}. */
  public Superblock withResyncOffset(long offset) {
    return with(
        b -> b.putLong(RESYNC_OFFSET_AT, offset == IN_SYNC ? -1 : MdFields.sectors(offset)));
  }

  /** Bytes of this member that are rebuilt, a multiple of 512, or {@link #IN_SYNC}. */
  public Superblock withRecoveryOffset(long offset) {
    boolean whole = offset == IN_SYNC;
    int gone = whole ? Feature.RECOVERY_BITMAP.bit : 0;
    int others = featureMap() & ~(Feature.RECOVERY_OFFSET.bit | gone);
    return with(
        b -> {
          b.putInt(FEATURES_AT, whole ? others : others | Feature.RECOVERY_OFFSET.bit);
          b.putLong(RECOVERY_OFFSET_AT, whole ? 0 : MdFields.sectors(Math.min(offset, dataSize())));
        });
  }

  /** Whether the bitmap guides the rebuild; only while there is one. */
  public Superblock withRecoveryByBitmap(boolean byBitmap) {
    if (byBitmap && !Feature.RECOVERY_OFFSET.in(featureMap())) {
      throw new IllegalStateException("this member is not being rebuilt");
    }
    return with(Feature.RECOVERY_BITMAP, byBitmap);
  }

  public Superblock withReplacement(boolean replacement) {
    return with(Feature.REPLACEMENT, replacement);
  }

  /** With a bitmap that many bytes from the superblock, a multiple of 512 up to the data. */
  public Superblock withBitmap(long offset) {
    boolean before = offset < 0 && offset >= -SUPERBLOCK_OFFSET;
    boolean behind = offset >= sb.limit() && offset < dataOffset() - SUPERBLOCK_OFFSET;
    if (offset % SECTOR != 0 || !before && !behind) {
      throw new IllegalArgumentException("no place for a bitmap: " + offset);
    }
    int sectors = Math.toIntExact(offset / SECTOR);
    return with(Feature.BITMAP_OFFSET, true).with(b -> b.putInt(BITMAP_OFFSET_AT, sectors));
  }

  public Superblock withoutBitmap() {
    return with(Feature.BITMAP_OFFSET, false).with(b -> b.putInt(BITMAP_OFFSET_AT, 0));
  }

  public Superblock withCorrectedReads(int count) {
    return with(b -> b.putInt(CORRECTED_READS_AT, count));
  }

  /**
   * Gives a device number below {@link #maxDev()} a role: its place below {@link #raidDisks()}, or
   * {@link #SPARE} or {@link #FAULTY}.
   */
  public Superblock withRole(int devNumber, int role) {
    requireNumber(devNumber);
    if (role < 0 || role > SPARE || role >= raidDisks() && role < JOURNAL) {
      throw new IllegalArgumentException("no role " + role + " of " + raidDisks());
    }
    return with(b -> b.putShort(HEADER_SIZE + ROLE_SIZE * devNumber, (short) role));
  }

  /** The same state of the array, as recorded on another member: its number and identity. */
  public Superblock withDevice(int devNumber, UUID deviceUuid) {
    requireNumber(devNumber);
    return with(
        b -> {
          b.putInt(DEV_NUMBER_AT, devNumber);
          b.putInt(CORRECTED_READS_AT, 0);
          MdFields.putUuid(b, DEVICE_UUID_AT, deviceUuid);
        });
  }

  /** md's way to write a UUID: four groups of eight hexadecimal digits. */
  public static String mdText(UUID uuid) {
    String digits =
        "%016x%016x".formatted(uuid.getMostSignificantBits(), uuid.getLeastSignificantBits());
    return digits.replaceAll("(.{8})(?!$)", "$1:");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Superblock that && sb.equals(that.sb);
  }

  @Override
  public int hashCode() {
    return sb.hashCode();
  }

  @Override
  public String toString() {
    return "Superblock(%s '%s' level %d, device %d role %s, events %s)"
        .formatted(
            mdText(setUuid()),
            name(),
            level(),
            devNumber(),
            role() == SPARE ? "spare" : role() == FAULTY ? "faulty" : "" + role(),
            Long.toUnsignedString(events()));
  }

  /** Changes fields of {@code b} and seals it with its checksum. */
  static Superblock sealed(ByteBuffer b) {
    b.putInt(CHECKSUM_AT, SuperblockParser.checksum(b, b.limit()));
    return new Superblock(b);
  }

  private void requireNumber(int devNumber) {
    if (devNumber < 0 || devNumber >= maxDev()) {
      throw new IllegalArgumentException("no device number " + devNumber + " of " + maxDev());
    }
  }

  private Superblock with(Feature feature, boolean set) {
    int others = featureMap() & ~feature.bit;
    return with(b -> b.putInt(FEATURES_AT, set ? others | feature.bit : others));
  }

  private Superblock with(Consumer<ByteBuffer> change) {
    byte[] copy = Arrays.copyOf(sb.array(), sb.limit());
    ByteBuffer b = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN);
    change.accept(b);
    return sealed(b);
  }
}
