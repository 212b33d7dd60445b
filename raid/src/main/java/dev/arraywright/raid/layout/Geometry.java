package dev.arraywright.raid.layout;

import java.util.function.IntPredicate;

/**
 * Where an array's bytes are on its members; every address here is in bytes, member offsets count
 * from the start of a member's data.
 *
 * <p>The array's address space is a sequence of <b>stripes</b>, numbered from 0, of {@link
 * #stripeBytes()} each (the last one of RAID-1 may be shorter). There are two families:
 *
 * <pre>
 * parity (5, 6)   a stripe is one chunk on each member, at the same offset; n - parities data chunks
 *                 P on n-1-(stripe mod n), Q right after P, data from there on, cyclically
 *                 (left-symmetric: md's layout 2, ALGORITHM_LEFT_SYMMETRIC of drivers/md/raid5.h)
 * copies (0,1,10) a stripe is one chunk, kept c times: copy i of stripe k is chunk k*c+i of all members'
 *                 chunks counted row by row, so on slot (k*c+i) mod n, in row (k*c+i) div n;
 *                 c is 1 at RAID-0, n at RAID-1 and 2 at RAID-10 (near-2: md's layout 0x102, md(4))
 * </pre>
 *
 * @param level the level
 * @param layout md's code for the placement
 * @param members slots of the complete array
 * @param chunk bytes a chunk; 0 at RAID-1, which has none
 * @param componentSize bytes of each member that are used, whole chunks
 */
public record Geometry(RaidLevel level, int layout, int members, int chunk, long componentSize) {
  /** md's code of left-symmetric parity placement. */
  public static final int LEFT_SYMMETRIC = 2;

  /** md's code of two near copies and one far. */
  public static final int NEAR_2 = 0x102;

  /** How much of a mirror is one stripe, as RAID-1 itself has no chunks. */
  public static final int MIRROR_UNIT = 128 * 1024;

  private static final int MINIMUM_CHUNK = 4096;

  public Geometry {
    if (members < level.minimumMembers()) {
      throw new IllegalArgumentException(
          "%s needs at least %d members, not %d".formatted(level, level.minimumMembers(), members));
    }
    if (level != RaidLevel.RAID1) {
      requireChunk(level, chunk);
    } else if (chunk != 0) {
      throw new IllegalArgumentException("raid1 has no chunk size, not even " + chunk);
    }
    requireLayout(level, layout);
    long unit = chunk == 0 ? 512 : chunk;
    if (componentSize <= 0 || componentSize % unit != 0) {
      throw new IllegalArgumentException(
          "each member gives %d bytes, which is no positive multiple of %d"
              .formatted(componentSize, unit));
    }
    if (componentSize > Long.MAX_VALUE / members) {
      throw new IllegalArgumentException("too large: " + members + " times " + componentSize);
    }
  }

  /** md's default layout for the level. */
  public static int defaultLayout(RaidLevel level) {
    return level.parities() > 0 ? LEFT_SYMMETRIC : level == RaidLevel.RAID10 ? NEAR_2 : 0;
  }

  /** md's rule: RAID-0 takes any multiple of a page, the others powers of two. */
  private static void requireChunk(RaidLevel level, int chunk) {
    boolean fits = chunk >= MINIMUM_CHUNK && chunk % MINIMUM_CHUNK == 0;
    if (!fits || (level != RaidLevel.RAID0 && Integer.bitCount(chunk) != 1)) {
      throw new IllegalArgumentException(
          "a chunk of %s is a %s of at least 4096 bytes, not %d"
              .formatted(
                  level, level == RaidLevel.RAID0 ? "multiple of 4096" : "power of two", chunk));
    }
  }

  private static void requireLayout(RaidLevel level, int layout) {
    boolean known =
        switch (level) {
          case RAID5, RAID6 -> layout == LEFT_SYMMETRIC;
          case RAID10 -> layout == NEAR_2;
          case RAID0, RAID1 -> true;
        };
    if (!known) {
      throw new IllegalArgumentException(
          "%s layout 0x%x is not supported, only %s"
              .formatted(level, layout, level == RaidLevel.RAID10 ? "near-2" : "left-symmetric"));
    }
  }

  /** Bytes of array in a stripe. */
  public int stripeBytes() {
    return unit() * dataChunks();
  }

  /** Bytes of one member in a stripe. */
  public int unit() {
    return chunk == 0 ? MIRROR_UNIT : chunk;
  }

  /** Data chunks in a stripe: n - parities, or 1 in the family of copies. */
  public int dataChunks() {
    return hasParity() ? members - level.parities() : 1;
  }

  /** True at levels 5 and 6. */
  public boolean hasParity() {
    return level.parities() > 0;
  }

  /** Bytes of array. */
  public long arraySize() {
    if (hasParity()) {
      return componentSize * dataChunks();
    }
    return level == RaidLevel.RAID1
        ? componentSize
        : componentSize / chunk * members / copies() * chunk;
  }

  /** How many stripes there are, the last one perhaps short. */
  public long stripes() {
    return Math.ceilDiv(arraySize(), stripeBytes());
  }

  /** Bytes of the stripe on each member that takes part: {@link #unit()} but for RAID-1's last. */
  public int length(long stripe) {
    return (int) Math.min(unit(), componentSize - memberOffset(stripe));
  }

  /** How many copies of a chunk there are; 1 with parity. */
  public int copies() {
    return switch (level) {
      case RAID1 -> members;
      case RAID10 -> 2;
      default -> 1;
    };
  }

  /** Where the first part of the stripe is on its member; no later stripe begins before it. */
  public long memberOffset(long stripe) {
    return hasParity() ? stripe * chunk : copyOffset(stripe, 0);
  }

  /** Slot of a stripe's copy; family of copies only. */
  public int copySlot(long stripe, int copy) {
    return (int) ((stripe * copies() + copy) % members);
  }

  /** Member offset of a stripe's copy; family of copies only. */
  public long copyOffset(long stripe, int copy) {
    return (stripe * copies() + copy) / members * unit();
  }

  /** Slot of P; levels 5 and 6 only. */
  public int p(long stripe) {
    return members - 1 - (int) (stripe % members);
  }

  /** Slot of Q; level 6 only. */
  public int q(long stripe) {
    return (p(stripe) + 1) % members;
  }

  /** Slot of data chunk {@code index}, whose coefficient in Q is 2^index; levels 5 and 6 only. */
  public int dataSlot(long stripe, int index) {
    return (p(stripe) + level.parities() + index) % members;
  }

  /** Inverse of the above: a data index, {@link #dataChunks()} for P, one more for Q. */
  public int shard(long stripe, int slot) {
    int fromP = Math.floorMod(slot - p(stripe), members);
    return fromP < level.parities() ? dataChunks() + fromP : fromP - level.parities();
  }

  /** How many members may be lost, whichever they are. */
  public int tolerance() {
    return switch (level) {
      case RAID0 -> 0;
      case RAID1 -> members - 1;
      case RAID5, RAID10 -> 1;
      case RAID6 -> 2;
    };
  }

  /** True if every byte can be had from the slots that are present. */
  public boolean survives(IntPredicate present) {
    if (level != RaidLevel.RAID10) {
      int lost = 0;
      for (int slot = 0; slot < members; slot++) {
        lost += present.test(slot) ? 0 : 1;
      }
      return lost <= tolerance();
    }
    for (long stripe = 0; stripe < Math.min(members, stripes()); stripe++) {
      if (!present.test(copySlot(stripe, 0)) && !present.test(copySlot(stripe, 1))) {
        return false;
      }
    }
    return true;
  }

  /**
   * md's resync position at the start of a stripe: in array bytes at RAID-10, else in member bytes.
   */
  public long syncOffset(long stripe) {
    return level == RaidLevel.RAID10 ? stripe * chunk : memberOffset(stripe);
  }

  /** The end of a resync, in the same measure. */
  public long syncSize() {
    return level == RaidLevel.RAID10 ? arraySize() : componentSize;
  }
}
