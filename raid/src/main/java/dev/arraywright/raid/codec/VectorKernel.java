package dev.arraywright.raid.codec;

import static dev.arraywright.raid.codec.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The Vector API at the width this machine prefers. Loaded only where {@code jdk.incubator.vector}
 * is, so nothing else may name this class's vectors.
 *
 * <p>The shape is what the compiler turns into registers: positions outside, sources inside,
 * accumulators in locals that start from a load; vector calls in the loop itself, as own methods
 * around them box. What does not fill a step is the scalar kernel's.
 */
final class VectorKernel implements ParityKernel {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int WIDTH = BYTES.vectorByteSize();
  private static final ByteVector ZERO = ByteVector.zero(BYTES);
  private static final ByteVector POLY = ByteVector.broadcast(BYTES, Galois.POLYNOMIAL);

  /** For each coefficient a vector of its products with low nibbles, then one with high nibbles. */
  private static final byte[] PRODUCTS = products();

  private final ScalarKernel tail = new ScalarKernel();

  /** Narrower vectors have no room for the tables, and no gain. */
  static boolean supported() {
    return WIDTH >= 16;
  }

  @Override
  public String name() {
    return "vector-" + BYTES.vectorBitSize();
  }

  @Override
  public void xor(long target, long[] sources, long from, long to) {
    long i = from;
    for (; i <= to - 4 * WIDTH; i += 4 * WIDTH) {
      long first = sources[0] + i;
      LongVector a = LongVector.fromMemorySegment(LONGS, ALL, first, ORDER);
      LongVector b = LongVector.fromMemorySegment(LONGS, ALL, first + WIDTH, ORDER);
      LongVector c = LongVector.fromMemorySegment(LONGS, ALL, first + 2 * WIDTH, ORDER);
      LongVector d = LongVector.fromMemorySegment(LONGS, ALL, first + 3 * WIDTH, ORDER);
      for (int s = 1; s < sources.length; s++) {
        long at = sources[s] + i;
        a = a.lanewise(VectorOperators.XOR, LongVector.fromMemorySegment(LONGS, ALL, at, ORDER));
        b =
            b.lanewise(
                VectorOperators.XOR, LongVector.fromMemorySegment(LONGS, ALL, at + WIDTH, ORDER));
        c =
            c.lanewise(
                VectorOperators.XOR,
                LongVector.fromMemorySegment(LONGS, ALL, at + 2 * WIDTH, ORDER));
        d =
            d.lanewise(
                VectorOperators.XOR,
                LongVector.fromMemorySegment(LONGS, ALL, at + 3 * WIDTH, ORDER));
      }
      a.intoMemorySegment(ALL, target + i, ORDER);
      b.intoMemorySegment(ALL, target + i + WIDTH, ORDER);
      c.intoMemorySegment(ALL, target + i + 2 * WIDTH, ORDER);
      d.intoMemorySegment(ALL, target + i + 3 * WIDTH, ORDER);
    }
    tail.xor(target, sources, i, to);
  }

  @Override
  public void pq(long p, long q, long[] data, long from, long to) {
    int last = data.length - 1;
    long i = from;
    for (; i <= to - 2 * WIDTH; i += 2 * WIDTH) {
      ByteVector sumA = ByteVector.fromMemorySegment(BYTES, ALL, data[last] + i, ORDER);
      ByteVector sumB = ByteVector.fromMemorySegment(BYTES, ALL, data[last] + i + WIDTH, ORDER);
      ByteVector weightedA = sumA;
      ByteVector weightedB = sumB;
      for (int d = last - 1; d >= 0; d--) {
        ByteVector a = ByteVector.fromMemorySegment(BYTES, ALL, data[d] + i, ORDER);
        ByteVector b = ByteVector.fromMemorySegment(BYTES, ALL, data[d] + i + WIDTH, ORDER);
        sumA = sumA.lanewise(VectorOperators.XOR, a);
        sumB = sumB.lanewise(VectorOperators.XOR, b);
        VectorMask<Byte> foldA = weightedA.compare(VectorOperators.LT, 0);
        VectorMask<Byte> foldB = weightedB.compare(VectorOperators.LT, 0);
        weightedA = weightedA.add(weightedA).lanewise(VectorOperators.XOR, ZERO.blend(POLY, foldA));
        weightedB = weightedB.add(weightedB).lanewise(VectorOperators.XOR, ZERO.blend(POLY, foldB));
        weightedA = weightedA.lanewise(VectorOperators.XOR, a);
        weightedB = weightedB.lanewise(VectorOperators.XOR, b);
      }
      if (p != 0) {
        sumA.intoMemorySegment(ALL, p + i, ORDER);
        sumB.intoMemorySegment(ALL, p + i + WIDTH, ORDER);
      }
      weightedA.intoMemorySegment(ALL, q + i, ORDER);
      weightedB.intoMemorySegment(ALL, q + i + WIDTH, ORDER);
    }
    tail.pq(p, q, data, i, to);
  }

  @Override
  public void multiplyInto(long target, long source, int coefficient, long from, long to) {
    ByteVector low = ByteVector.fromArray(BYTES, PRODUCTS, 2 * WIDTH * coefficient);
    ByteVector high = ByteVector.fromArray(BYTES, PRODUCTS, 2 * WIDTH * coefficient + WIDTH);
    long i = from;
    for (; i <= to - WIDTH; i += WIDTH) {
      ByteVector a = ByteVector.fromMemorySegment(BYTES, ALL, source + i, ORDER);
      ByteVector lower = a.lanewise(VectorOperators.AND, 15).selectFrom(low);
      ByteVector upper = a.lanewise(VectorOperators.LSHR, 4).selectFrom(high);
      ByteVector.fromMemorySegment(BYTES, ALL, target + i, ORDER)
          .lanewise(VectorOperators.XOR, lower)
          .lanewise(VectorOperators.XOR, upper)
          .intoMemorySegment(ALL, target + i, ORDER);
    }
    tail.multiplyInto(target, source, coefficient, i, to);
  }

  @Override
  public void update(long p, long q, long a, long b, int coefficient, long from, long to) {
    ByteVector low = ByteVector.fromArray(BYTES, PRODUCTS, 2 * WIDTH * coefficient);
    ByteVector high = ByteVector.fromArray(BYTES, PRODUCTS, 2 * WIDTH * coefficient + WIDTH);
    long i = from;
    for (; i <= to - WIDTH; i += WIDTH) {
      ByteVector after = ByteVector.fromMemorySegment(BYTES, ALL, b + i, ORDER);
      ByteVector change =
          ByteVector.fromMemorySegment(BYTES, ALL, a + i, ORDER)
              .lanewise(VectorOperators.XOR, after);
      ByteVector.fromMemorySegment(BYTES, ALL, p + i, ORDER)
          .lanewise(VectorOperators.XOR, change)
          .intoMemorySegment(ALL, p + i, ORDER);
      if (q != 0) {
        ByteVector lower = change.lanewise(VectorOperators.AND, 15).selectFrom(low);
        ByteVector upper = change.lanewise(VectorOperators.LSHR, 4).selectFrom(high);
        ByteVector.fromMemorySegment(BYTES, ALL, q + i, ORDER)
            .lanewise(VectorOperators.XOR, lower)
            .lanewise(VectorOperators.XOR, upper)
            .intoMemorySegment(ALL, q + i, ORDER);
      }
    }
    tail.update(p, q, a, b, coefficient, i, to);
  }

  private static byte[] products() {
    byte[] products = new byte[256 * 2 * WIDTH];
    for (int i = 0; i < products.length; i++) {
      int nibble = i % WIDTH % 16;
      boolean upper = i / WIDTH % 2 == 1;
      products[i] = (byte) Galois.multiply(i / (2 * WIDTH), upper ? nibble << 4 : nibble);
    }
    return products;
  }
}
