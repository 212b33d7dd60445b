package dev.arraywright.samples.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.driver.OpenOptions;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class OverlayModelTest {
  /** No multiple of the blocks, so that the last one is short. */
  private static final int SIZE = (1 << 20) + 5 * 512;

  private static final int BLOCK = 4096;

  @Test
  @DisplayName("agrees with an array that begins as the image, over any number of openings")
  void model() throws Exception {
    for (int seed = 1; seed <= 3; seed++) {
      try (Scratch scratch = new Scratch(SIZE)) {
        byte[] model = scratch.image();
        Random random = new Random(seed);
        for (int opening = 0; opening < 6; opening++) {
          try (BlockDevice device = scratch.open(OpenOptions.DEFAULT, "block-size", "4KiB")) {
            assertArrayEquals(model, Scratch.read(device, 0, SIZE), "seed " + seed);
            for (int i = 0; i < 60; i++) {
              step(device, model, random, scratch.image());
            }
            device.flush();
          }
        }
        try (BlockDevice device = scratch.open(OpenOptions.READ_ONLY)) {
          assertArrayEquals(model, Scratch.read(device, 0, SIZE), "seed " + seed);
        }
      }
    }
  }

  @Test
  @DisplayName("remembers blocks of every page of its map, not of the first alone")
  void pages() throws Exception {
    int pages = 5;
    long apart = (long) DeltaMap.PAGE_BLOCKS * BLOCK;
    try (Scratch scratch = new Scratch(512)) {
      try (RandomAccessFile base = new RandomAccessFile(scratch.base.toFile(), "rw")) {
        base.setLength(pages * apart);
      }
      try (BlockDevice device = scratch.open(OpenOptions.DEFAULT, "block-size", "4KiB")) {
        for (int page = 0; page < pages; page++) {
          Scratch.fill(device, (page + 1) * apart - BLOCK, BLOCK, page + 1);
        }
        device.flush();
      }
      try (BlockDevice device = scratch.open(OpenOptions.READ_ONLY)) {
        for (int page = 0; page < pages; page++) {
          byte[] expected = new byte[2 * BLOCK];
          Arrays.fill(expected, BLOCK, 2 * BLOCK, (byte) (page + 1));
          long at = (page + 1) * apart - 2 * BLOCK;
          assertArrayEquals(expected, Scratch.read(device, at, 2 * BLOCK), "page " + page);
        }
      }
    }
  }

  private static void step(BlockDevice device, byte[] model, Random random, byte[] image)
      throws Exception {
    int offset = random.nextInt(SIZE / 512) * 512;
    int length = Math.min(SIZE - offset, (1 + random.nextInt(40)) * 512);
    switch (random.nextInt(4)) {
      case 0 -> {
        device.discard(offset, length);
        int from = (offset + BLOCK - 1) / BLOCK * BLOCK;
        int end = offset + length;
        int to = end == SIZE ? SIZE : end / BLOCK * BLOCK;
        if (from < to) {
          System.arraycopy(image, from, model, from, to - from);
        }
      }
      case 1 ->
          assertArrayEquals(
              Arrays.copyOfRange(model, offset, offset + length),
              Scratch.read(device, offset, length));
      default -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        device.write(ByteBuffer.wrap(bytes), offset);
        System.arraycopy(bytes, 0, model, offset, length);
      }
    }
  }
}
