package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * What an array is made from, and the superblocks that say so. The layout is md's default of the
 * level: left-symmetric at 5 and 6, near-2 at 10, "original" at 0. Members of one size make a level
 * 0 that reads the same in all of its layouts, so the feature bit for them, unknown to kernels
 * before 5.4, stays unset, as mdadm leaves it.
 *
 * @param level 0, 1, 5, 6 or 10
 * @param chunkSize bytes: a power of two of at least 4096, at level 0 any multiple of that; ignored
 *     at level 1
 * @param raidDisks members when complete
 * @param name up to 32 bytes of UTF-8, by custom {@code host:name}
 * @param inSync true if redundancy need not be made: the members hold zeroes, or the level has none
 * @param bitmapChunk bytes for which a bit of the write-intent bitmap stands, a power of two of at
 *     least 4096; {@link #AUTO} for md's default, 0 for no bitmap
 */
public record NewArray(
    int level,
    int chunkSize,
    int raidDisks,
    UUID setUuid,
    String name,
    Instant created,
    boolean inSync,
    int bitmapChunk) {
  /** A bitmap with md's chunk: 64 MiB, or more where so many bits have no room. */
  public static final int AUTO = -1;

  /** Room for this many devices makes 512 bytes: the superblock is one sector, written at once. */
  private static final int ROLES = (512 - HEADER_SIZE) / ROLE_SIZE;

  /** Where mdadm 4.2 puts the bitmap, from the superblock. */
  private static final int BITMAP_OFFSET = 8 * SECTOR;

  private static final int AUTO_CHUNK = 64 << 20;
  private static final int MAX_BITMAP_CHUNK = 1 << 30;
  private static final long MIB = 1 << 20;
  private static final int LEFT_SYMMETRIC = 2;
  private static final int NEAR_2 = 0x102;
  private static final int RAID0_ORIGINAL = 1;

  /**
   * A device to make into a member; {@code size} in bytes counts from its start.
   *
   * @param deviceUuid its identity as a member
   */
  public record Member(long size, UUID deviceUuid) {}

  public NewArray {
    if (!Superblock.LEVELS.contains(level)) {
      throw new IllegalArgumentException("no level " + level + " of " + Superblock.LEVELS);
    }
    boolean page = chunkSize >= 4096 && chunkSize % 4096 == 0;
    if (level != 1 && (!page || (level != 0 && Integer.bitCount(chunkSize) != 1))) {
      throw new IllegalArgumentException(
          "a chunk is a power of two of at least 4096 bytes, at level 0 a multiple, not "
              + chunkSize);
    }
    if (raidDisks < 1 || raidDisks > MAX_ROLES) {
      throw new IllegalArgumentException("no array of " + raidDisks + " members");
    }
    boolean sound = bitmapChunk >= 4096 && Integer.bitCount(bitmapChunk) == 1;
    if (bitmapChunk != 0 && bitmapChunk != AUTO && !sound) {
      throw new IllegalArgumentException(
          "a bitmap's chunk is a power of two of at least 4096 bytes, not " + bitmapChunk);
    }
    if (bitmapChunk != 0 && level == 0) {
      throw new IllegalArgumentException("level 0 has nothing that a bitmap could help to resync");
    }
    if (name.getBytes(StandardCharsets.UTF_8).length > NAME_SIZE || name.indexOf(0) >= 0) {
      throw new IllegalArgumentException("an array name has up to 32 bytes, '" + name + "' not");
    }
  }

  /**
   * Where data begins on members of at least {@code smallest} bytes: a 1024th of them and between 1
   * and 128 MiB, as mdadm leaves for bitmap, bad-block log and later reshapes.
   */
  public static long dataOffset(long smallest) {
    return Math.clamp(Long.highestOneBit(Math.max(smallest >> 10, 1)), MIB, 128 * MIB);
  }

  /** Bytes of each member for data, whole chunks, on members of at least {@code smallest} bytes. */
  public long dataSize(long smallest) {
    long unit = level == 1 ? 4096 : chunkSize;
    return Math.max(0, smallest - dataOffset(smallest)) / unit * unit;
  }

  /**
   * One superblock for each device, numbered in order: the first {@link #raidDisks} take the places
   * in the array, the others are spares. A null stands for a member that is missing, and gives
   * null.
   *
   * @throws IllegalArgumentException if there are too many or too few, or the smallest is too small
   */
  public List<Superblock> superblocks(List<Member> members) {
    if (members.size() < raidDisks || members.size() > MAX_ROLES) {
      throw new IllegalArgumentException(members.size() + " devices for " + raidDisks);
    }
    long smallest =
        members.stream()
            .filter(Objects::nonNull)
            .mapToLong(Member::size)
            .min()
            .orElseThrow(() -> new IllegalArgumentException("every member is missing"));
    if (dataSize(smallest) == 0) {
      throw new IllegalArgumentException(
          "the smallest member has %d bytes: too few for %d of metadata and a chunk"
              .formatted(smallest, dataOffset(smallest)));
    }
    ByteBuffer array = describeArray(smallest, members);
    List<Superblock> result = new ArrayList<>();
    bitmap(new Superblock(array));
    for (int i = 0; i < members.size(); i++) {
      Member member = members.get(i);
      result.add(member == null ? null : describe(array, i, member));
    }
    return result;
  }

  /**
   * The header of the new array's bitmap, to write with all bits set unless {@link #inSync}; null
   * without a bitmap.
   *
   * @param made any of the array's {@link #superblocks}
   * @throws IllegalArgumentException if so many bits have no room, or are beyond any limit
   */
  public BitmapHeader bitmap(Superblock made) {
    if (bitmapChunk == 0) {
      return null;
    }
    long size = BitmapHeader.syncSize(made);
    long most =
        Math.min(
            (BitmapHeader.room(made) - BitmapDescriptor.HEADER_SIZE) * 8, BitmapHeader.MAX_CHUNKS);
    int chunk = bitmapChunk == AUTO ? AUTO_CHUNK : bitmapChunk;
    while (bitmapChunk == AUTO && chunk < MAX_BITMAP_CHUNK && Math.ceilDiv(size, chunk) > most) {
      chunk *= 2;
    }
    if (Math.ceilDiv(size, chunk) > most) {
      throw new IllegalArgumentException(
          "a bitmap with a bit for each %d bytes needs %d, and has room for %d: take a larger chunk"
              .formatted(chunk, Math.ceilDiv(size, chunk), most));
    }
    return BitmapHeader.of(setUuid, made.events(), size, chunk);
  }

  private ByteBuffer describeArray(long smallest, List<Member> members) {
    int roles = Math.ceilDiv(members.size(), ROLES) * ROLES;
    ByteBuffer b =
        ByteBuffer.allocate(HEADER_SIZE + ROLE_SIZE * Math.min(roles, MAX_ROLES))
            .order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(MAGIC_AT, MAGIC).putInt(MAJOR_AT, MAJOR_VERSION);
    MdFields.putUuid(b, SET_UUID_AT, setUuid);
    b.put(NAME_AT, name.getBytes(StandardCharsets.UTF_8));
    b.putLong(CTIME_AT, MdFields.mdTime(created)).putLong(UTIME_AT, MdFields.mdTime(created));
    b.putInt(LEVEL_AT, level).putInt(LAYOUT_AT, layout());
    b.putLong(SIZE_AT, level == 0 ? 0 : dataSize(smallest) / SECTOR);
    b.putInt(CHUNK_AT, level == 1 ? 0 : chunkSize / SECTOR).putInt(RAID_DISKS_AT, raidDisks);
    b.putLong(DATA_OFFSET_AT, dataOffset(smallest) / SECTOR);
    b.putLong(DATA_SIZE_AT, dataSize(smallest) / SECTOR);
    b.putLong(SUPER_OFFSET_AT, SUPERBLOCK_OFFSET / SECTOR);
    b.putLong(RESYNC_OFFSET_AT, inSync || level == 0 ? -1 : 0);
    if (bitmapChunk != 0) {
      b.putInt(FEATURES_AT, Feature.BITMAP_OFFSET.bit);
      b.putInt(BITMAP_OFFSET_AT, BITMAP_OFFSET / SECTOR);
    }
    b.putInt(MAX_DEV_AT, (b.limit() - HEADER_SIZE) / ROLE_SIZE);
    for (int i = 0; HEADER_SIZE + ROLE_SIZE * i < b.limit(); i++) {
      boolean placed = i < raidDisks && members.get(i) != null;
      b.putShort(HEADER_SIZE + ROLE_SIZE * i, (short) (placed ? i : Superblock.SPARE));
    }
    return b;
  }

  private static Superblock describe(ByteBuffer array, int number, Member member) {
    ByteBuffer b = ByteBuffer.wrap(array.array().clone()).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(DEV_NUMBER_AT, number);
    MdFields.putUuid(b, DEVICE_UUID_AT, member.deviceUuid());
    return Superblock.sealed(b);
  }

  private int layout() {
    return switch (level) {
      case 0 -> RAID0_ORIGINAL;
      case 1 -> 0;
      case 10 -> NEAR_2;
      default -> LEFT_SYMMETRIC;
    };
  }
}
