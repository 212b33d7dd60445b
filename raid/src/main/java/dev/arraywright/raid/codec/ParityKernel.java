package dev.arraywright.raid.codec;

/**
 * The table of operations that one way of computing offers; {@link Parity} checks the operands.
 *
 * <p>Every operand is an absolute address, valid and unaligned, and works on its bytes {@code from}
 * (inclusive) to {@code to}. Operations are bytewise: a target may be the same address as an
 * operand, but not overlap one otherwise. Arrays of addresses are never empty, and coefficients are
 * 1 to 255.
 */
interface ParityKernel {
  /** Stable and short: what status pages and benchmarks show. */
  String name();

  /** target = sum of sources. */
  void xor(long target, long[] sources, long from, long to);

  /** p = sum of data[i], q = sum of 2^i data[i]; a p of 0 (no address) is not wanted. */
  void pq(long p, long q, long[] data, long from, long to);

  /** target += coefficient * source. */
  void multiplyInto(long target, long source, int coefficient, long from, long to);

  /** p += a + b, and q += coefficient * (a + b); a q of 0 (no address) is not wanted. */
  void update(long p, long q, long a, long b, int coefficient, long from, long to);
}
