package dev.arraywright.samples.overlay;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/**
 * The open files of an overlay: one of the delta for header, map and lock, and a pair a lane, so
 * that blocks of different lanes are transferred at once. {@code RandomAccessFile} and not a
 * channel, as a channel is closed by an interrupt of whoever uses it.
 */
final class OverlayFiles implements AutoCloseable {
  private static final int LANES = 8;

  private final RandomAccessFile meta;
  private final Lane[] lanes = new Lane[LANES];

  /** One block at a time; its monitor guards the positions of both files. */
  record Lane(RandomAccessFile base, RandomAccessFile delta) {}

  OverlayFiles(OverlayAddress address, boolean readOnly) throws IOException {
    String mode = readOnly ? "r" : "rw";
    meta = open(address.delta(), mode);
    try {
      for (int i = 0; i < LANES; i++) {
        RandomAccessFile base = open(address.base(), "r");
        lanes[i] = new Lane(base, null);
        lanes[i] = new Lane(base, open(address.delta(), mode));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  RandomAccessFile meta() {
    return meta;
  }

  Lane lane(long block) {
    return lanes[(int) (block % LANES)];
  }

  /** Waits for the transfers that are under way. */
  @Override
  public void close() {
    for (Lane lane : lanes) {
      if (lane != null) {
        synchronized (lane) {
          close(lane.base);
          close(lane.delta);
        }
      }
    }
    close(meta);
  }

  private static RandomAccessFile open(Path path, String mode) throws IOException {
    return new RandomAccessFile(path.toFile(), mode);
  }

  private static void close(RandomAccessFile file) {
    try {
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      System.getLogger(OverlayFiles.class.getName())
          .log(System.Logger.Level.WARNING, "a file of an overlay did not close", e);
    }
  }
}
