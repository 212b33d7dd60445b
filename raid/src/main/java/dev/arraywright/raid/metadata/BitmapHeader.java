package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.BitmapDescriptor.*;
import static dev.arraywright.raid.metadata.SuperblockDescriptor.SECTOR;

import dev.arraywright.raid.metadata.BitmapException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * The header of a write-intent bitmap: whose it is, how current, and what a bit stands for. Parse
 * and encode give the same bytes. Immutable.
 *
 * @param setUuid the array's identity
 * @param events of the array when the header was last written, at least the superblock's
 * @param eventsCleared of the array when a bit was last cleared
 * @param syncSize bytes that a resync goes over, a multiple of 512: {@link #syncSize(Superblock)}
 * @param state {@link BitmapDescriptor#STALE} and {@link BitmapDescriptor#WRITE_ERROR}
 * @param chunk bytes a bit, a power of two from 512 to 1 GiB
 * @param daemonSleep seconds between passes that clear bits
 * @param writeBehind writes that a write-mostly member may lag, 0 for none
 * @param sectorsReserved sectors of 512 bytes kept for the bitmap; 0 if nobody said
 */
public record BitmapHeader(
    UUID setUuid,
    long events,
    long eventsCleared,
    long syncSize,
    int state,
    int chunk,
    int daemonSleep,
    int writeBehind,
    long sectorsReserved) {
  /** More bits than this are not understood: a MiB of them, as fits before the data by default. */
  public static final int MAX_CHUNKS = 1 << 23;

  /** As mdadm sets it. */
  public static final int DEFAULT_SLEEP = 5;

  public BitmapHeader {
    String fault =
        BitmapParser.fault(
            events, eventsCleared, state, chunk, daemonSleep, writeBehind, sectorsReserved);
    fault = fault == null ? BitmapParser.sizeFault(syncSize, chunk, sectorsReserved) : fault;
    if (fault != null) {
      throw new IllegalArgumentException("no bitmap with " + fault);
    }
  }

  /** A new bitmap, as mdadm makes it. */
  public static BitmapHeader of(UUID setUuid, long events, long syncSize, int chunk) {
    return new BitmapHeader(setUuid, events, events, syncSize, 0, chunk, DEFAULT_SLEEP, 0, 0);
  }

  /**
   * Reads a header from the buffer's position, which stays. Whatever the bytes, they give a header
   * or a {@link BitmapException}.
   */
  public static BitmapHeader parse(ByteBuffer source) throws BitmapException {
    return BitmapParser.parse(source);
  }

  public BitmapHeader withEvents(long events) {
    return new BitmapHeader(
        setUuid,
        events,
        eventsCleared,
        syncSize,
        state,
        chunk,
        daemonSleep,
        writeBehind,
        sectorsReserved);
  }

  public BitmapHeader withEventsCleared(long eventsCleared) {
    return new BitmapHeader(
        setUuid,
        events,
        eventsCleared,
        syncSize,
        state,
        chunk,
        daemonSleep,
        writeBehind,
        sectorsReserved);
  }

  /** True if it is marked as not to be used. */
  public boolean stale() {
    return (state & STALE) != 0;
  }

  /** How many bits there are. */
  public int chunks() {
    return (int) Math.ceilDiv(syncSize, (long) chunk);
  }

  /** Bytes of header and bits, whole blocks of {@code blockSize}. */
  public int areaSize(int blockSize) {
    return Math.ceilDiv(HEADER_SIZE + Math.ceilDiv(chunks(), 8), blockSize) * blockSize;
  }

  /** Puts the {@link BitmapDescriptor#HEADER_SIZE} bytes at the buffer's position, and moves it. */
  public void encode(ByteBuffer target) {
    ByteBuffer b = ByteBuffer.allocate(HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(MAGIC_AT, MAGIC).putInt(VERSION_AT, VERSION);
    MdFields.putUuid(b, UUID_AT, setUuid);
    b.putLong(EVENTS_AT, events).putLong(EVENTS_CLEARED_AT, eventsCleared);
    b.putLong(SYNC_SIZE_AT, syncSize / SECTOR);
    b.putInt(STATE_AT, state).putInt(CHUNK_AT, chunk).putInt(SLEEP_AT, daemonSleep);
    b.putInt(WRITE_BEHIND_AT, writeBehind).putInt(RESERVED_AT, (int) sectorsReserved);
    target.put(b);
  }

  /** Refuses a bitmap of another array, of another size, or with more bits than there is room. */
  public void checkBelongs(Superblock superblock) throws BitmapException {
    if (!setUuid.equals(superblock.setUuid())) {
      throw new BitmapException(
          Reason.FOREIGN,
          "the bitmap is of array %s, the member of %s"
              .formatted(Superblock.mdText(setUuid), Superblock.mdText(superblock.setUuid())));
    }
    if (syncSize != syncSize(superblock)) {
      throw new BitmapException(
          Reason.FOREIGN,
          "the bitmap is for %d bytes, the array has %d to keep in step"
              .formatted(syncSize, syncSize(superblock)));
    }
    checkFits(superblock, SECTOR);
  }

  /** Refuses a bitmap that cannot be written in blocks of that size without touching others. */
  public void checkFits(Superblock superblock, int blockSize) throws BitmapException {
    if (superblock.bitmapOffset() % blockSize != 0) {
      throw new BitmapException(
          Reason.UNSUPPORTED, "the bitmap begins inside a block of %d bytes".formatted(blockSize));
    }
    if (areaSize(blockSize) > room(superblock)) {
      throw new BitmapException(
          Reason.CORRUPT,
          "the bitmap needs %d bytes, and the member has room for %d"
              .formatted(areaSize(blockSize), room(superblock)));
    }
  }

  /** Refuses a bitmap that is marked stale, or that fell behind the array's current superblock. */
  public void checkCurrent(Superblock superblock) throws BitmapException {
    if (stale() || Long.compareUnsigned(events, superblock.events()) < 0) {
      throw new BitmapException(
          Reason.STALE,
          "the bitmap is out of date: %s at events %d, the array at %s"
              .formatted(
                  stale() ? "marked so," : "it is",
                  events,
                  Long.toUnsignedString(superblock.events())));
    }
  }

  /** What a resync of the array goes over: a member's used bytes, the array's at level 10. */
  public static long syncSize(Superblock superblock) {
    if (superblock.level() != 10) {
      return superblock.size();
    }
    int near = superblock.layout() & 0xff;
    int far = superblock.layout() >> 8 & 0xff;
    long chunk = superblock.chunkSize();
    if (near == 0 || far == 0) {
      return 0;
    }
    long chunks = superblock.size() / chunk / far * superblock.raidDisks() / near;
    return chunks > Long.MAX_VALUE / chunk ? Long.MAX_VALUE : chunks * chunk;
  }

  /**
   * Bytes from the bitmap's place to what comes next on the member: the superblock, the bad-block
   * log or the data. 0 if there is no bitmap.
   */
  public static long room(Superblock superblock) {
    if (!superblock.hasBitmap()) {
      return 0;
    }
    long at = superblock.bitmapOffset();
    long end = at < 0 ? 0 : superblock.dataOffset() - SuperblockDescriptor.SUPERBLOCK_OFFSET;
    long log = superblock.badBlockLogOffset();
    boolean logBehind = superblock.badBlockLogSize() > 0 && log >= at;
    return (logBehind ? Math.min(log, end) : end) - at;
  }
}
