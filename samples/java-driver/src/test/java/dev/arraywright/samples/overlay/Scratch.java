package dev.arraywright.samples.overlay;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.DriverContext;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.memory.BufferAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** A directory with an image, and a driver that lays overlays over it. */
final class Scratch implements AutoCloseable {
  final Path directory;
  final Path base;
  final Path delta;

  Scratch(int size) throws IOException {
    directory = Files.createTempDirectory("overlay").toRealPath();
    base = directory.resolve("base.img");
    delta = directory.resolve("base.img.delta");
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    Files.write(base, bytes);
  }

  StorageAddress address() {
    return over(delta);
  }

  StorageAddress over(Path other) {
    return new StorageAddress.Other("overlay", base + "?delta=" + other);
  }

  BlockDevice open(OpenOptions options, String... settings) throws DriverException {
    return open(address(), options, settings);
  }

  static BlockDevice open(StorageAddress address, OpenOptions options, String... settings)
      throws DriverException {
    OverlayDriver driver = new OverlayDriver();
    driver.initialize(
        new Context(settings.length == 0 ? Map.of() : Map.of(settings[0], settings[1])));
    return driver.open(address, options);
  }

  byte[] image() throws IOException {
    return Files.readAllBytes(base);
  }

  static byte[] read(BlockDevice device, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    device.read(ByteBuffer.wrap(bytes), offset);
    return bytes;
  }

  static void fill(BlockDevice device, long offset, int length, int value) throws IOException {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    device.write(ByteBuffer.wrap(bytes), offset);
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private record Context(Map<String, String> settings) implements DriverContext {
    @Override
    public BufferAllocator buffers() {
      throw new UnsupportedOperationException("the overlay needs no buffers");
    }

    @Override
    public System.Logger logger() {
      return System.getLogger("overlay");
    }
  }
}
