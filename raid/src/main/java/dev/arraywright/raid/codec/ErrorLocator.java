package dev.arraywright.raid.codec;

import static dev.arraywright.raid.codec.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.arraywright.raid.codec.ParityCheck.Consistent;
import dev.arraywright.raid.codec.ParityCheck.OneWrong;
import dev.arraywright.raid.codec.ParityCheck.SeveralWrong;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Computes parity anew, a block at a time, and looks at how it differs from what is stored. If only
 * data shard z is wrong, by e, then P differs by e and Q by 2^z e, so z is the logarithm of their
 * quotient; if only one of P and Q differs, that one is wrong. One shard is to blame only if every
 * differing byte names the same.
 */
final class ErrorLocator {
  private static final long BLOCK = 16 << 10;
  private static final int NONE = -1;
  private static final int SEVERAL = -2;

  private final ParityKernel kernel;
  private final long[] data;
  private final long p;
  private final long q;
  private final long length;

  /** Absolute addresses; a q of 0 (no address) is not there. */
  ErrorLocator(ParityKernel kernel, long[] data, long p, long q, long length) {
    this.kernel = kernel;
    this.data = data;
    this.p = p;
    this.q = q;
    this.length = length;
  }

  ParityCheck locate() {
    int shard = search();
    return switch (shard) {
      case NONE -> new Consistent();
      case SEVERAL -> new SeveralWrong();
      default -> new OneWrong(shard);
    };
  }

  private int search() {
    int wrong = NONE;
    try (Arena arena = Arena.ofConfined()) {
      long scratch = arena.allocate(2 * BLOCK, 64).address();
      for (long from = 0; from < length && wrong != SEVERAL; from += BLOCK) {
        long to = Math.min(length, from + BLOCK);
        long newP = scratch - from;
        long newQ = scratch + BLOCK - from;
        compute(newP, newQ, from, to);
        if (differs(newP, p, from, to) || q != 0 && differs(newQ, q, from, to)) {
          wrong = q == 0 ? SEVERAL : blame(newP, newQ, from, to, wrong);
        }
      }
    }
    return wrong;
  }

  private void compute(long newP, long newQ, long from, long to) {
    if (q == 0) {
      kernel.xor(newP, data, from, to);
    } else {
      kernel.pq(newP, newQ, data, from, to);
    }
  }

  private static boolean differs(long a, long b, long from, long to) {
    return MemorySegment.mismatch(ALL, a + from, a + to, ALL, b + from, b + to) >= 0;
  }

  private int blame(long newP, long newQ, long from, long to, int before) {
    int wrong = before;
    for (long i = from; i < to && wrong != SEVERAL; i++) {
      int byP = (ALL.get(JAVA_BYTE, newP + i) ^ ALL.get(JAVA_BYTE, p + i)) & 0xff;
      int byQ = (ALL.get(JAVA_BYTE, newQ + i) ^ ALL.get(JAVA_BYTE, q + i)) & 0xff;
      if (byP != 0 || byQ != 0) {
        int shard = shard(byP, byQ);
        wrong = wrong == NONE || wrong == shard ? shard : SEVERAL;
      }
    }
    return wrong;
  }

  private int shard(int byP, int byQ) {
    if (byQ == 0) {
      return data.length;
    }
    if (byP == 0) {
      return data.length + 1;
    }
    int shard = Galois.log(Galois.divide(byQ, byP));
    return shard < data.length ? shard : SEVERAL;
  }
}
