package dev.arraywright.samples.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.OpenOptions;
import java.io.BufferedReader;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class OverlayCrashTest {
  private static final int BLOCKS = 64;
  private static final int BLOCK = 4096;

  /** Writes a part of block after block, flushes, and tells, forever; or tells why it cannot. */
  static final class Writer {
    public static void main(String[] args) throws Exception {
      StorageAddress address = StorageAddress.parse(args[0]);
      BlockDevice device;
      try {
        device = Scratch.open(address, OpenOptions.DEFAULT, "block-size", "4KiB");
      } catch (DriverException e) {
        System.out.println(e.reason());
        return;
      }
      for (int round = 1; ; round++) {
        Scratch.fill(device, (long) block(round) * BLOCK + 512, 1024, value(round));
        device.flush();
        System.out.println(round);
      }
    }
  }

  private static int block(int round) {
    return round * 7 % BLOCKS;
  }

  private static int value(int round) {
    return round % 127;
  }

  @Test
  @DisplayName("has what was flushed when the process was killed, and keeps others out till then")
  void killed() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      Process writer = start(scratch.address());
      int told = 0;
      try (BufferedReader lines = writer.inputReader()) {
        while (told < 300) {
          String line = lines.readLine();
          assertTrue(line != null, "the writer ended after round " + told);
          told = Integer.parseInt(line);
        }
        DriverException e =
            assertThrows(DriverException.class, () -> scratch.open(OpenOptions.DEFAULT));
        assertEquals(Reason.IN_USE, e.reason());
        writer.toHandle().destroyForcibly(); // leaves what it said readable
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          told = Integer.parseInt(line);
        }
      } finally {
        writer.destroyForcibly();
      }
      assertTrue(writer.waitFor(20, TimeUnit.SECONDS));
      try (BlockDevice device = scratch.open(OpenOptions.DEFAULT)) {
        byte[] image = scratch.image();
        for (int round = told - BLOCKS + 1; round <= told; round++) {
          long at = (long) block(round) * BLOCK;
          byte[] expected = Arrays.copyOfRange(image, (int) at, (int) at + BLOCK);
          byte[] seen = Scratch.read(device, at, BLOCK);
          // The round that nobody heard of may have come through.
          boolean unheard = block(told + 1) == block(round) && seen[512] == value(told + 1);
          Arrays.fill(expected, 512, 1536, (byte) value(unheard ? told + 1 : round));
          assertArrayEquals(expected, seen, "round " + round + " of " + told);
        }
      }
    }
  }

  @Test
  @DisplayName("keeps other processes out before, while and after another version takes over")
  void claimOfTwo() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      BlockDevice old = scratch.open(OpenOptions.DEFAULT);
      assertEquals("IN_USE", firstWord(scratch.address()));
      try (BlockDevice fresh = scratch.open(OpenOptions.DEFAULT.takingOver())) {
        assertEquals("IN_USE", firstWord(scratch.address()));
        old.close();
        Scratch.fill(fresh, 0, BLOCK, 1);
        assertEquals("IN_USE", firstWord(scratch.address()));
      }
      assertEquals("1", firstWord(scratch.address()));
    }
  }

  @Test
  @DisplayName("notices a process that came between two versions, and writes no more")
  void overtaken() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      BlockDevice old = scratch.open(OpenOptions.DEFAULT);
      try (BlockDevice fresh = scratch.open(OpenOptions.DEFAULT.takingOver())) {
        old.close();
        Process other = start(scratch.address());
        try (BufferedReader lines = other.inputReader()) {
          assertEquals("1", lines.readLine());
          assertThrows(DeviceGoneException.class, () -> Scratch.fill(fresh, 0, BLOCK, 1));
          assertFalse(fresh.isOnline());
        } finally {
          other.destroyForcibly();
          assertTrue(other.waitFor(20, TimeUnit.SECONDS));
        }
      }
    }
  }

  @Test
  @DisplayName("finds nothing of writes that were not flushed, and all of those that were")
  void unflushed() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      Path copy = scratch.directory.resolve("copy.delta");
      byte[] image = scratch.image();
      try (BlockDevice device = scratch.open(OpenOptions.DEFAULT, "block-size", "4KiB")) {
        Scratch.fill(device, 0, BLOCK, 1);
        device.flush();
        Scratch.fill(device, 2 * BLOCK, BLOCK, 2);
        Files.copy(scratch.delta, copy);
      }
      try (BlockDevice device = Scratch.open(scratch.over(copy), OpenOptions.DEFAULT)) {
        byte[] expected = image.clone();
        Arrays.fill(expected, 0, BLOCK, (byte) 1);
        assertArrayEquals(expected, Scratch.read(device, 0, image.length));
      }
    }
  }

  @Test
  @DisplayName("begins anew where a crash left an empty delta, and refuses one with flipped bits")
  void damage() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      Files.write(scratch.delta, new byte[DeltaMap.PAGE]);
      try (BlockDevice device = scratch.open(OpenOptions.DEFAULT, "block-size", "4KiB")) {
        Scratch.fill(device, 0, BLOCK, 1);
        device.flush();
      }
      for (int at : new int[] {0, 8, 17, 33, DeltaHeader.MAP, DeltaHeader.MAP + 505}) {
        flip(scratch.delta, at);
        DriverException e =
            assertThrows(DriverException.class, () -> scratch.open(OpenOptions.DEFAULT));
        assertEquals(Reason.INVALID, e.reason(), "byte " + at);
        flip(scratch.delta, at);
      }
      scratch.open(OpenOptions.DEFAULT).close();
    }
  }

  @Test
  @DisplayName("refuses a delta whose image was changed, unless told to trust it")
  void changedImage() throws Exception {
    try (Scratch scratch = new Scratch(BLOCKS * BLOCK)) {
      scratch.open(OpenOptions.DEFAULT).close();
      byte[] image = scratch.image();
      Files.setLastModifiedTime(scratch.base, FileTime.fromMillis(1000));
      DriverException e =
          assertThrows(DriverException.class, () -> scratch.open(OpenOptions.DEFAULT));
      assertEquals(Reason.INVALID, e.reason());
      scratch.open(OpenOptions.DEFAULT, "check-base", "false").close();
      Files.write(scratch.base, Arrays.copyOf(image, image.length / 2));
      assertThrows(
          DriverException.class, () -> scratch.open(OpenOptions.DEFAULT, "check-base", "false"));
    }
  }

  private static void flip(Path path, int at) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(at);
      int value = file.read();
      file.seek(at);
      file.write(value ^ 0x10);
    }
  }

  private static String firstWord(StorageAddress address) throws Exception {
    Process process = start(address);
    try (BufferedReader lines = process.inputReader()) {
      return lines.readLine();
    } finally {
      process.destroyForcibly();
      assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    }
  }

  private static Process start(StorageAddress address) throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Writer.class.getName(),
            address.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
