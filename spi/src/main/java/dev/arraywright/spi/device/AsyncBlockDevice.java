package dev.arraywright.spi.device;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A {@link BlockDevice} that does not block: each call starts an operation and returns a stage that
 * ends with it. Shapes, errors and durability are those of {@link BlockDevice}; failures arrive as
 * the stage's {@link DeviceIoException} (bare, not wrapped), misuse is thrown at once.
 *
 * <p><b>Ownership of buffers.</b> The device has the buffer from the call until the stage ends, for
 * whatever reason it ends (a missed deadline included); from then on it never touches it again.
 * Only the bytes between position and limit as they were at the call are used; position and limit
 * themselves are left alone.
 *
 * <p><b>Threads.</b> Any thread may call; a call never waits for the device. Stages may end on a
 * thread of the device's own, so dependent work must not block there.
 */
public interface AsyncBlockDevice extends AutoCloseable {
  /** Geometry and identity; the same values as long as the device is open. */
  DeviceInfo info();

  /** Fills {@code target}'s remaining bytes from {@code offset}. */
  CompletionStage<Void> read(ByteBuffer target, long offset);

  /** Writes {@code source}'s remaining bytes at {@code offset}. */
  CompletionStage<Void> write(ByteBuffer source, long offset);

  /** Ends once every write whose stage had ended before this call is on stable storage. */
  CompletionStage<Void> flush();

  /** See {@link BlockDevice#discard}. */
  CompletionStage<Void> discard(long offset, long length);

  /** See {@link BlockDevice#writeZeroes}. */
  CompletionStage<Void> writeZeroes(long offset, long length);

  /**
   * Which parts of the range hold data and which are holes that read as zeroes; the extents cover
   * the range without gaps, in order. A device that cannot tell calls everything data.
   */
  default CompletionStage<List<Extent>> allocation(long offset, long length) {
    info().checkRange(offset, length);
    return CompletableFuture.completedStage(
        length == 0 ? List.of() : List.of(new Extent(offset, length, false)));
  }

  /** What is known of the device's condition, without waiting for the device. */
  default DeviceHealth health() {
    return DeviceHealth.UNKNOWN;
  }

  /** False once the device is known to be gone or closed. */
  boolean isOnline();

  /**
   * Refuses new calls, ends those in flight with {@link DeviceIoException.DeviceGoneException} and
   * releases the device. Does not flush; does not wait for a device that hangs.
   */
  @Override
  void close();
}
