package dev.arraywright.raid.codec;

import static dev.arraywright.raid.codec.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

/** Eight bytes at a time in a long; runs anywhere, and does the tails of wider kernels. */
final class ScalarKernel implements ParityKernel {
  private static final long LOW_BITS = 0x0101010101010101L;
  private static final long NOT_HIGH_BITS = 0x7f7f7f7f7f7f7f7fL;

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void xor(long target, long[] sources, long from, long to) {
    long i = from;
    for (; i <= to - 8; i += 8) {
      long sum = 0;
      for (long source : sources) {
        sum ^= ALL.get(JAVA_LONG_UNALIGNED, source + i);
      }
      ALL.set(JAVA_LONG_UNALIGNED, target + i, sum);
    }
    for (; i < to; i++) {
      byte sum = 0;
      for (long source : sources) {
        sum ^= ALL.get(JAVA_BYTE, source + i);
      }
      ALL.set(JAVA_BYTE, target + i, sum);
    }
  }

  @Override
  public void pq(long p, long q, long[] data, long from, long to) {
    long i = from;
    for (; i <= to - 8; i += 8) {
      long sum = 0;
      long weighted = 0;
      for (int d = data.length - 1; d >= 0; d--) {
        long word = ALL.get(JAVA_LONG_UNALIGNED, data[d] + i);
        sum ^= word;
        weighted = twice(weighted) ^ word;
      }
      if (p != 0) {
        ALL.set(JAVA_LONG_UNALIGNED, p + i, sum);
      }
      ALL.set(JAVA_LONG_UNALIGNED, q + i, weighted);
    }
    for (; i < to; i++) {
      long sum = 0;
      long weighted = 0;
      for (int d = data.length - 1; d >= 0; d--) {
        long word = ALL.get(JAVA_BYTE, data[d] + i);
        sum ^= word;
        weighted = twice(weighted) ^ word;
      }
      if (p != 0) {
        ALL.set(JAVA_BYTE, p + i, (byte) sum);
      }
      ALL.set(JAVA_BYTE, q + i, (byte) weighted);
    }
  }

  @Override
  public void multiplyInto(long target, long source, int coefficient, long from, long to) {
    long i = from;
    for (; i <= to - 8; i += 8) {
      long product = times(ALL.get(JAVA_LONG_UNALIGNED, source + i), coefficient);
      ALL.set(JAVA_LONG_UNALIGNED, target + i, ALL.get(JAVA_LONG_UNALIGNED, target + i) ^ product);
    }
    for (; i < to; i++) {
      long product = times(ALL.get(JAVA_BYTE, source + i), coefficient);
      ALL.set(JAVA_BYTE, target + i, (byte) (ALL.get(JAVA_BYTE, target + i) ^ product));
    }
  }

  @Override
  public void update(long p, long q, long a, long b, int coefficient, long from, long to) {
    long i = from;
    for (; i <= to - 8; i += 8) {
      long change = ALL.get(JAVA_LONG_UNALIGNED, a + i) ^ ALL.get(JAVA_LONG_UNALIGNED, b + i);
      ALL.set(JAVA_LONG_UNALIGNED, p + i, ALL.get(JAVA_LONG_UNALIGNED, p + i) ^ change);
      if (q != 0) {
        long product = times(change, coefficient);
        ALL.set(JAVA_LONG_UNALIGNED, q + i, ALL.get(JAVA_LONG_UNALIGNED, q + i) ^ product);
      }
    }
    for (; i < to; i++) {
      long change = ALL.get(JAVA_BYTE, a + i) ^ ALL.get(JAVA_BYTE, b + i);
      ALL.set(JAVA_BYTE, p + i, (byte) (ALL.get(JAVA_BYTE, p + i) ^ change));
      if (q != 0) {
        long product = times(change, coefficient);
        ALL.set(JAVA_BYTE, q + i, (byte) (ALL.get(JAVA_BYTE, q + i) ^ product));
      }
    }
  }

  /** Doubles eight field elements; bytes do not carry into each other. */
  private static long twice(long word) {
    return ((word & NOT_HIGH_BITS) << 1) ^ (((word >>> 7) & LOW_BITS) * Galois.POLYNOMIAL);
  }

  /** Horner over the coefficient's bits, highest first. */
  private static long times(long word, int coefficient) {
    long product = 0;
    for (int bit = 31 - Integer.numberOfLeadingZeros(coefficient); bit >= 0; bit--) {
      product = twice(product) ^ (word & -(coefficient >> bit & 1L));
    }
    return product;
  }
}
