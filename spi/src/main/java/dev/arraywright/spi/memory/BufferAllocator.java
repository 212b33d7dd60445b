package dev.arraywright.spi.memory;

import java.nio.ByteBuffer;

/** Direct buffers, page-aligned as O_DIRECT wants them, from a pool with a limit. Thread-safe. */
public interface BufferAllocator {
  /**
   * Takes a buffer of at least {@code size} bytes with position 0 and limit {@code size}, content
   * undefined; waits for one to be released while the pool is at its limit.
   *
   * @throws IllegalArgumentException if {@code size} is not positive or above {@link #limit()}
   * @throws InterruptedException if interrupted while waiting
   */
  Lease acquire(int size) throws InterruptedException;

  /** Like {@link #acquire}, but returns null instead of waiting. */
  Lease tryAcquire(int size);

  /** Bytes that may be out at once. */
  long limit();

  /** Bytes out now. */
  long inUse();

  /** A buffer on loan; closing returns it, and it must not be touched afterwards. */
  interface Lease extends AutoCloseable {
    ByteBuffer buffer();

    /** Returns the buffer; closing twice does nothing. */
    @Override
    void close();
  }
}
