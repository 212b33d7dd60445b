package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.DeviceIoException;
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException;
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException;
import dev.arraywright.spi.device.Extent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What {@link BlockDevice} promises, as tests. An implementation's test extends this class and says
 * how to open a device; it passes whole or not at all.
 */
public abstract class BlockDeviceContract {
  private static final int SIZE = 4 << 20;

  private BlockDevice device;
  private int block;

  /** Opens a fresh device for reading and writing, of at least {@code size} bytes. */
  protected abstract BlockDevice open(long size) throws Exception;

  /** Opens the device that {@link #open} gave last again, closed by now, for reading only. */
  protected abstract BlockDevice reopenReadOnly() throws Exception;

  @BeforeEach
  final void openDevice() throws Exception {
    device = open(SIZE);
    block = device.info().logicalBlockSize();
  }

  @AfterEach
  final void closeDevice() {
    if (device != null) {
      device.close();
    }
  }

  @Test
  @DisplayName("is as large as was asked for, and online")
  void geometry() {
    DeviceInfo info = device.info();
    assertTrue(info.size() >= SIZE, "size " + info.size());
    assertFalse(info.readOnly());
    assertFalse(info.id().isEmpty());
    assertTrue(device.isOnline());
  }

  @Test
  @DisplayName("reads what was written, from and into every kind of buffer")
  void everyKindOfBuffer() throws Exception {
    int seed = 0;
    for (int length : new int[] {block, 3 * block, (1 << 20) + block}) {
      for (ByteBuffer source : buffers(length)) {
        byte[] expected = random(++seed, length);
        source.duplicate().put(expected);
        device.write(seed % 2 == 0 ? source.asReadOnlyBuffer() : source, 2L * block);
        for (ByteBuffer target : buffers(length)) {
          device.read(target, 2L * block);
          assertEquals(target.limit(), target.position());
          assertArrayEquals(expected, lastBytes(target, length));
        }
      }
    }
  }

  @Test
  @DisplayName("leaves a buffer's bytes outside position and limit alone")
  void staysWithinTheBuffer() throws Exception {
    device.write(ByteBuffer.wrap(filled(4 * block, 7)), 0);
    for (ByteBuffer whole : List.of(ByteBuffer.allocate(4 * block), direct(4 * block))) {
      ByteBuffer target = whole.duplicate().position(block).limit(3 * block);
      device.read(target, 0);
      assertEquals(3 * block, target.position());
      byte[] seen = new byte[4 * block];
      whole.get(0, seen);
      byte[] expected = new byte[4 * block];
      Arrays.fill(expected, block, 3 * block, (byte) 7);
      assertArrayEquals(expected, seen);
    }
  }

  @Test
  @DisplayName("agrees with a byte array after any sequence of operations")
  void model() throws Exception {
    for (long seed = 1; seed <= 4; seed++) {
      runAgainstModel(new Random(seed));
    }
  }

  @Test
  @DisplayName("refuses misuse without touching the device or the buffer")
  void misuse() throws Exception {
    device.write(ByteBuffer.wrap(filled(block, 5)), 0);
    long size = device.info().size();
    long[][] ranges = {
      {-block, block},
      {size, block},
      {size - block, 2L * block},
      {Long.MAX_VALUE - block + 1, block}
    };
    for (long[] range : ranges) {
      refused((int) range[1], range[0]);
    }
    if (block > 1) {
      refused(block, 1);
      refused(block - 1, 0);
      refused(block + 1, 0);
    }
    ByteBuffer readOnly = ByteBuffer.allocate(block).asReadOnlyBuffer();
    assertThrows(IllegalArgumentException.class, () -> device.read(readOnly, 0));
    assertThrows(IllegalArgumentException.class, () -> device.discard(0, -block));
    assertArrayEquals(filled(block, 5), read(0, block));
  }

  @Test
  @DisplayName("does nothing for a length of zero, the end included")
  void zeroLength() throws Exception {
    for (long offset : new long[] {0, device.info().size()}) {
      device.read(ByteBuffer.allocate(0), offset);
      device.write(ByteBuffer.allocate(0), offset);
      device.discard(offset, 0);
      device.writeZeroes(offset, 0);
      assertEquals(List.of(), device.allocation(offset, 0));
    }
  }

  @Test
  @DisplayName("takes its last block")
  void lastBlock() throws Exception {
    long last = device.info().size() - block;
    device.write(ByteBuffer.wrap(filled(block, 9)), last);
    assertArrayEquals(filled(block, 9), read(last, block));
  }

  @Test
  @DisplayName("writeZeroes makes exactly its range zero; discard leaves the rest alone")
  void zeroesAndDiscard() throws Exception {
    device.write(ByteBuffer.wrap(filled(1 << 20, 3)), 0);
    device.writeZeroes(block, (1 << 19) + block);
    byte[] expected = filled(1 << 20, 3);
    Arrays.fill(expected, block, (1 << 19) + 2 * block, (byte) 0);
    assertArrayEquals(expected, read(0, 1 << 20));

    int middle = (1 << 19) + 4 * block;
    device.discard(middle, 1 << 18);
    assertArrayEquals(
        Arrays.copyOf(expected, middle), Arrays.copyOf(read(0, 1 << 20), middle), "before");
    int end = middle + (1 << 18);
    assertArrayEquals(
        Arrays.copyOfRange(expected, end, 1 << 20), read(end, (1 << 20) - end), "behind");
  }

  @Test
  @DisplayName("allocation covers the range without gaps, and its holes read as zeroes")
  void allocation() throws Exception {
    device.writeZeroes(0, SIZE);
    device.write(ByteBuffer.wrap(filled(1 << 18, 1)), 1 << 20);
    device.write(ByteBuffer.wrap(filled(block, 2)), 3 << 20);
    long from = block;
    long to = SIZE - block;
    long at = from;
    for (Extent extent : device.allocation(from, to - from)) {
      assertEquals(at, extent.offset());
      at = extent.end();
      if (extent.hole()) {
        byte[] zeroes = new byte[(int) extent.length()];
        assertArrayEquals(zeroes, read(extent.offset(), zeroes.length), extent.toString());
      }
    }
    assertEquals(to, at);
  }

  @Test
  @DisplayName("serves many threads at once")
  void concurrency() throws Exception {
    int threads = 8;
    int part = SIZE / threads;
    inParallel(
        threads,
        thread -> {
          Random random = new Random(thread);
          byte[] model = filled(part, thread + 1);
          device.write(ByteBuffer.wrap(model), (long) thread * part);
          for (int i = 0; i < 60; i++) {
            int offset = random.nextInt(part / block) * block;
            int length = Math.min(part - offset, (1 + random.nextInt(16)) * block);
            if (random.nextBoolean()) {
              byte[] bytes = random(random.nextInt(), length);
              System.arraycopy(bytes, 0, model, offset, length);
              device.write(ByteBuffer.wrap(bytes), (long) thread * part + offset);
            } else {
              byte[] expected = Arrays.copyOfRange(model, offset, offset + length);
              assertArrayEquals(expected, read((long) thread * part + offset, length));
            }
          }
          device.flush();
          assertArrayEquals(model, read((long) thread * part, part));
        });
  }

  @Test
  @DisplayName("keeps either's bytes, block by block, where writes overlap in flight")
  void overlappingWrites() throws Exception {
    int length = 16 * block;
    inParallel(
        4,
        thread -> {
          for (int i = 0; i < 50; i++) {
            device.write(ByteBuffer.wrap(filled(length, 4 * i + thread)), 0);
          }
        });
    byte[] seen = read(0, length);
    for (int at = 0; at < length; at += block) {
      byte[] one = Arrays.copyOfRange(seen, at, at + block);
      assertArrayEquals(filled(block, one[0]), one, "block at " + at + " is torn");
    }
  }

  @Test
  @DisplayName("outlives a thread's interrupt, which stays marked")
  void interrupt() throws Exception {
    Thread.currentThread().interrupt();
    try {
      device.write(ByteBuffer.wrap(filled(block, 4)), 0);
      device.read(ByteBuffer.allocate(block), 0);
      device.flush();
    } finally {
      assertTrue(Thread.interrupted(), "the mark is gone");
    }
    assertTrue(device.isOnline());
    assertArrayEquals(filled(block, 4), read(0, block));
  }

  @Test
  @DisplayName("is gone once closed, and closing twice is fine")
  void closed() throws Exception {
    device.close();
    device.close();
    assertFalse(device.isOnline());
    ByteBuffer buffer = ByteBuffer.allocate(block);
    assertThrows(DeviceGoneException.class, () -> device.read(buffer, 0));
    assertThrows(DeviceGoneException.class, () -> device.write(buffer, 0));
    assertThrows(DeviceGoneException.class, () -> device.flush());
    assertThrows(DeviceGoneException.class, () -> device.discard(0, block));
    assertThrows(DeviceGoneException.class, () -> device.writeZeroes(0, block));
    assertEquals(0, buffer.position());
  }

  @Test
  @DisplayName("survives being closed under load: calls succeed, or find it gone")
  void closedUnderLoad() throws Exception {
    inParallel(
        5,
        thread -> {
          if (thread == 0) {
            for (int i = 0; i < 20; i++) {
              read(0, block);
            }
            device.close();
            return;
          }
          try {
            while (true) {
              read((long) thread * block, block);
              device.write(ByteBuffer.wrap(filled(block, thread)), (long) thread * block);
            }
          } catch (DeviceIoException e) {
            assertInstanceOf(DeviceGoneException.class, e);
          }
        });
  }

  @Test
  @DisplayName("opened for reading only, it reads and is write-protected")
  void readOnly() throws Exception {
    device.write(ByteBuffer.wrap(filled(block, 6)), 0);
    device.flush();
    device.close();
    device = reopenReadOnly();
    assertTrue(device.info().readOnly());
    assertArrayEquals(filled(block, 6), read(0, block));
    ByteBuffer source = ByteBuffer.wrap(filled(block, 8));
    assertThrows(WriteProtectedException.class, () -> device.write(source, 0));
    assertThrows(WriteProtectedException.class, () -> device.writeZeroes(0, block));
    assertThrows(WriteProtectedException.class, () -> device.discard(0, block));
    assertEquals(0, source.position());
    assertArrayEquals(filled(block, 6), read(0, block));
    device.flush();
  }

  private void runAgainstModel(Random random) throws Exception {
    byte[] model = new byte[SIZE];
    device.writeZeroes(0, SIZE);
    for (int i = 0; i < 150; i++) {
      int offset = random.nextInt(SIZE / block) * block;
      int blocks = 1 + random.nextInt(random.nextInt(8) == 0 ? 1024 : 16);
      int length = Math.min(SIZE - offset, blocks * block);
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          byte[] bytes = random(random.nextInt(), length);
          System.arraycopy(bytes, 0, model, offset, length);
          device.write(ByteBuffer.wrap(bytes), offset);
        }
        case 2 -> {
          Arrays.fill(model, offset, offset + length, (byte) 0);
          device.writeZeroes(offset, length);
        }
        case 3 -> {
          device.discard(offset, length);
          System.arraycopy(read(offset, length), 0, model, offset, length);
        }
        case 4 -> device.flush();
        default ->
            assertArrayEquals(
                Arrays.copyOfRange(model, offset, offset + length), read(offset, length));
      }
    }
    assertArrayEquals(model, read(0, SIZE));
  }

  private void refused(int length, long offset) {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    assertThrows(IllegalArgumentException.class, () -> device.read(buffer, offset));
    assertThrows(IllegalArgumentException.class, () -> device.write(buffer, offset));
    assertThrows(IllegalArgumentException.class, () -> device.discard(offset, length));
    assertThrows(IllegalArgumentException.class, () -> device.writeZeroes(offset, length));
    assertThrows(IllegalArgumentException.class, () -> device.allocation(offset, length));
    assertEquals(0, buffer.position());
    assertEquals(length, buffer.limit());
  }

  private byte[] read(long offset, int length) throws DeviceIoException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }

  /** Heap and direct, aligned and not, sliced and with a position. */
  private static List<ByteBuffer> buffers(int length) {
    return List.of(
        ByteBuffer.allocate(length),
        ByteBuffer.allocate(length + 7).slice(5, length),
        ByteBuffer.allocate(length + 3).position(3),
        ByteBuffer.allocateDirect(length + 8192).alignedSlice(4096).limit(length),
        direct(length + 1).position(1),
        direct(length + 9).slice(8, length));
  }

  private static ByteBuffer direct(int length) {
    return ByteBuffer.allocateDirect(length);
  }

  private static byte[] lastBytes(ByteBuffer buffer, int length) {
    byte[] bytes = new byte[length];
    buffer.get(buffer.limit() - length, bytes);
    return bytes;
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private interface Job {
    void run(int thread) throws Exception;
  }

  private static void inParallel(int threads, Job job) throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Callable<Void>> jobs = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int thread = i;
        jobs.add(
            () -> {
              job.run(thread);
              return null;
            });
      }
      for (Future<Void> done : executor.invokeAll(jobs)) {
        done.get();
      }
    }
  }
}
