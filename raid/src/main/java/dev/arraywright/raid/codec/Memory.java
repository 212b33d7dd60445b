package dev.arraywright.raid.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * All of the address space as one constant segment: the form in which compiled loops over many
 * buffers keep no bounds and no liveness checks. Hence {@link #address} checks both beforehand, and
 * callers keep the buffers reachable until the last access.
 */
final class Memory {
  @SuppressWarnings("restricted")
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Memory() {}

  /** The address of a source's byte at its position. */
  static long address(ByteBuffer buffer, int length) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("parity wants direct buffers, this is " + buffer);
    }
    if (buffer.remaining() != length) {
      throw new IllegalArgumentException(
          "shards differ in length: " + length + " and " + buffer.remaining() + " bytes");
    }
    MemorySegment segment = MemorySegment.ofBuffer(buffer);
    if (!segment.scope().isAlive() || !segment.isAccessibleBy(Thread.currentThread())) {
      throw new IllegalStateException("the arena of " + buffer + " is closed or another thread's");
    }
    return segment.address();
  }

  static long[] addresses(ByteBuffer[] buffers, int length) {
    long[] addresses = new long[buffers.length];
    for (int i = 0; i < buffers.length; i++) {
      addresses[i] = address(buffers[i], length);
    }
    return addresses;
  }

  /** Like {@link #address}, for a buffer that will be written. */
  static long writable(ByteBuffer buffer, int length) {
    if (buffer.isReadOnly()) {
      throw new IllegalArgumentException("parity cannot be written to the read-only " + buffer);
    }
    return address(buffer, length);
  }
}
