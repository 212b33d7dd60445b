package dev.arraywright.samples.overlay;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which blocks are in the delta, a bit a block. On disk in pages of a sector each, as a sector is
 * what disks write whole or not at all:
 *
 * <pre>
 * offset  bytes
 *      0    504  4032 bits, as 63 big-endian words whose lowest bit comes first
 *    504      4  number of the page
 *    508      4  CRC32C of the 508 bytes before
 * </pre>
 *
 * A page of zeroes was never written: no block of it is there. Thread-safe.
 */
final class DeltaMap {
  static final int PAGE = 512;
  private static final int WORDS = 63;
  static final int PAGE_BLOCKS = WORDS * Long.SIZE;

  private final AtomicLongArray words;
  private final Set<Integer> dirty = ConcurrentHashMap.newKeySet();

  /** A page as it is to be written. */
  record Page(int number, byte[] bytes) {}

  private DeltaMap(int pages) {
    words = new AtomicLongArray(pages * WORDS);
  }

  static DeltaMap read(RandomAccessFile file, DeltaHeader header) throws IOException {
    DeltaMap map = new DeltaMap(header.pages());
    byte[] page = new byte[PAGE];
    ByteBuffer none = ByteBuffer.allocate(PAGE);
    for (int number = 0; number < header.pages(); number++) {
      long at = DeltaHeader.MAP + (long) number * PAGE;
      if (at + PAGE > file.length()) {
        break; // a crash came before the file had its length
      }
      file.seek(at);
      file.readFully(page);
      ByteBuffer buffer = ByteBuffer.wrap(page);
      if (buffer.equals(none)) {
        continue;
      }
      if (buffer.getInt(PAGE - 4) != DeltaHeader.crc(page, PAGE - 4)
          || buffer.getInt(PAGE - 8) != number) {
        throw new DamagedDeltaException("the checksum of page " + number + " of its map is wrong");
      }
      for (int i = 0; i < WORDS; i++) {
        map.words.set(number * WORDS + i, buffer.getLong());
      }
    }
    return map;
  }

  boolean has(long block) {
    return (words.get((int) (block / Long.SIZE)) & 1L << block) != 0;
  }

  /** Called once the block's bytes are written. */
  void add(long block) {
    if (!has(block)) {
      words.getAndAccumulate((int) (block / Long.SIZE), 1L << block, (word, bit) -> word | bit);
      dirty.add((int) (block / PAGE_BLOCKS));
    }
  }

  void remove(long block) {
    if (has(block)) {
      words.getAndAccumulate(
          (int) (block / Long.SIZE), ~(1L << block), (word, keep) -> word & keep);
      dirty.add((int) (block / PAGE_BLOCKS));
    }
  }

  /** What changed since the last call. */
  List<Page> takeChanged() {
    List<Page> changed = new ArrayList<>();
    for (int number : dirty) {
      dirty.remove(number); // before it is read: what is set meanwhile makes it dirty again
      ByteBuffer page = ByteBuffer.allocate(PAGE);
      for (int i = 0; i < WORDS; i++) {
        page.putLong(words.get(number * WORDS + i));
      }
      page.putInt(number).putInt(DeltaHeader.crc(page.array(), PAGE - 4));
      changed.add(new Page(number, page.array()));
    }
    return changed;
  }

  long count() {
    long count = 0;
    for (int i = 0; i < words.length(); i++) {
      count += Long.bitCount(words.get(i));
    }
    return count;
  }
}
