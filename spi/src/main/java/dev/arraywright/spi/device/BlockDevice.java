package dev.arraywright.spi.device;

import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A storage device addressed by byte offset: what a driver opens and an array is made of.
 *
 * <p><b>Shapes.</b> Offsets and lengths are bytes, multiples of {@link
 * DeviceInfo#logicalBlockSize()}, and lie within {@link DeviceInfo#size()}; anything else is a
 * caller's error and throws {@link IllegalArgumentException} without touching the device. A
 * transfer moves all of {@link ByteBuffer#remaining()}; on return the buffer's position is its
 * limit. Buffers may be heap or direct and of any alignment. A zero-length call does nothing.
 *
 * <p><b>Errors.</b> Every other failure is a {@link DeviceIoException}, whose subtype the array
 * acts on. After one, the content of the buffer (read) or of the range (write) is undefined, and
 * the buffer's position is as before the call.
 *
 * <p><b>Threads.</b> Every method may be called from any thread, any number at once; methods block.
 * Overlapping writes in flight together leave either's bytes, block by block. A thread's interrupt
 * must not close the device.
 *
 * <p><b>Durability.</b> A returned write is seen by every later read, but survives a power cut only
 * after a {@link #flush()} that began after it returned.
 *
 * <p><b>Ownership.</b> A device is closed by whoever opened it. Calls after {@link #close()} throw
 * {@link DeviceIoException.DeviceGoneException}.
 */
public interface BlockDevice extends AutoCloseable {
  /** Geometry and identity; the same values as long as the device is open. */
  DeviceInfo info();

  /** Fills {@code target}'s remaining bytes from {@code offset}. */
  void read(ByteBuffer target, long offset) throws DeviceIoException;

  /** Writes {@code source}'s remaining bytes at {@code offset}. */
  void write(ByteBuffer source, long offset) throws DeviceIoException;

  /** Returns once every write that had returned before this call is on stable storage. */
  void flush() throws DeviceIoException;

  /**
   * Tells the device that the range is no longer needed. What it reads as afterwards is undefined
   * until written; the default does nothing.
   */
  default void discard(long offset, long length) throws DeviceIoException {
    info().checkRange(offset, length);
    if (info().readOnly()) {
      throw new WriteProtectedException(info().id());
    }
  }

  /** Makes the range read as zeroes, by a cheaper way than writing them where there is one. */
  default void writeZeroes(long offset, long length) throws DeviceIoException {
    info().checkRange(offset, length);
    byte[] zeroes = new byte[(int) Math.min(length, 1 << 20)];
    for (long done = 0; done < length; ) {
      int count = (int) Math.min(length - done, zeroes.length);
      write(ByteBuffer.wrap(zeroes, 0, count), offset + done);
      done += count;
    }
  }

  /**
   * Which parts of the range hold data and which are holes that read as zeroes; the extents cover
   * the range without gaps, in order. A device that cannot tell calls everything data.
   */
  default List<Extent> allocation(long offset, long length) throws DeviceIoException {
    info().checkRange(offset, length);
    return length == 0 ? List.of() : List.of(new Extent(offset, length, false));
  }

  /** What is known of the device's condition, without waiting for the device. */
  default DeviceHealth health() {
    return DeviceHealth.UNKNOWN;
  }

  /** False once the device is known to be gone or closed; never waits for the device. */
  boolean isOnline();

  /** Releases the device and its claim; does not flush. Closing twice does nothing. */
  @Override
  void close();
}
