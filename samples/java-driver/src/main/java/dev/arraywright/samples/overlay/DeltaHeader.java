package dev.arraywright.samples.overlay;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The first sector of a delta, big-endian, and where the rest is:
 *
 * <pre>
 * offset  bytes
 *      0      8  "AWDELTA1"
 *      8      4  version: 1
 *     12      4  block size, a power of two
 *     16      8  size of the device
 *     24      8  when the image was modified last, ms since 1970
 *     32      4  CRC32C of the 32 bytes before
 *   4096  512*n  the map, see {@link DeltaMap}
 *    ...         from the next multiple of the block size on: block after block, holes where none is
 * </pre>
 *
 * @param blockSize bytes a block
 * @param size bytes of the device, and of its image
 * @param baseModified the image's time of modification
 */
record DeltaHeader(int blockSize, long size, long baseModified) {
  static final int MAP = 4096;
  private static final long MAGIC = 0x4157_4445_4c54_4131L;
  private static final int VERSION = 1;
  private static final int SECTOR = 512;
  private static final int CHECKED = 32;

  /** The header in a file; null if the file is new: empty, or cut off before its header came. */
  static DeltaHeader read(RandomAccessFile file) throws IOException {
    byte[] bytes = new byte[SECTOR];
    file.seek(0);
    file.readFully(bytes, 0, (int) Math.min(SECTOR, file.length()));
    ByteBuffer header = ByteBuffer.wrap(bytes);
    if (file.length() <= SECTOR && header.equals(ByteBuffer.allocate(SECTOR))) {
      return null;
    }
    if (header.getLong() != MAGIC) {
      throw new DamagedDeltaException("it begins with something else");
    }
    int version = header.getInt();
    if (version != VERSION) {
      throw new DamagedDeltaException("it has version " + version + ", and 1 is known");
    }
    DeltaHeader read = new DeltaHeader(header.getInt(), header.getLong(), header.getLong());
    if (header.getInt() != crc(bytes, CHECKED)) {
      throw new DamagedDeltaException("the checksum of its header is wrong");
    }
    int shift = Integer.numberOfTrailingZeros(read.blockSize);
    if (Integer.bitCount(read.blockSize) != 1 || shift < 12 || shift > 20 || read.size <= 0) {
      throw new DamagedDeltaException("its header makes no sense: " + read);
    }
    return read;
  }

  /** Makes a file a delta in which nothing is written; durable on return. */
  void write(RandomAccessFile file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(SECTOR);
    header.putLong(MAGIC).putInt(VERSION).putInt(blockSize).putLong(size).putLong(baseModified);
    header.putInt(crc(header.array(), CHECKED));
    file.seek(0);
    file.write(header.array());
    file.setLength(data() + blocks() * blockSize);
    file.getFD().sync();
  }

  long blocks() {
    return (size + blockSize - 1) / blockSize;
  }

  /** Pages of the map. */
  int pages() {
    return Math.toIntExact((blocks() + DeltaMap.PAGE_BLOCKS - 1) / DeltaMap.PAGE_BLOCKS);
  }

  /** Where the first block is. */
  long data() {
    long end = MAP + (long) pages() * DeltaMap.PAGE;
    return (end + blockSize - 1) / blockSize * blockSize;
  }

  /** Bytes of a block: the last one may be short. */
  int length(long block) {
    return (int) Math.min(blockSize, size - block * blockSize);
  }

  static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
