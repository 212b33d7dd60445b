package dev.arraywright.raid.codec;

import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * RAID-5 and RAID-6 parity, byte for byte as Linux md computes it: P is the XOR of the data shards,
 * Q the sum of 2^i D_i in GF(2^8).
 *
 * <p><b>Shapes.</b> Shards are the remaining bytes of direct buffers, all of one length (any, also
 * 0) and any alignment; positions and limits stay as they are. Shards count as data 0 … n-1, then P
 * = n and Q = n+1, with n from 1 to 255. A target may not share bytes with another operand.
 *
 * <p><b>Errors.</b> {@link IllegalArgumentException} for heap buffers, unequal lengths, read-only
 * targets and shard numbers that do not exist; {@link IllegalStateException} for a buffer whose
 * arena is closed or another thread's. Nothing is written then.
 *
 * <p><b>Threads.</b> Immutable; any number of threads. The buffers' arenas stay open during a call.
 */
public final class Parity {
  private static final List<Parity> AVAILABLE = load();

  private static final int WARM_UP_ROUNDS = 1000;
  private static final int WARM_UP_SHARDS = 3;
  private static final int WARM_UP_BYTES = 4 << 10;

  private final ParityKernel kernel;

  private Parity(ParityKernel kernel) {
    this.kernel = kernel;
  }

  /** The fastest that runs in this JVM. */
  public static Parity best() {
    return AVAILABLE.getFirst();
  }

  /** All that run in this JVM, fastest first. */
  public static List<Parity> available() {
    return AVAILABLE;
  }

  /** The vector kernel's class is touched only where the JVM was started with its module. */
  private static List<Parity> load() {
    List<Parity> found = new ArrayList<>();
    boolean module = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    if (module && VectorKernel.supported()) {
      found.add(new Parity(new VectorKernel()));
    }
    found.add(new Parity(new ScalarKernel()));
    return List.copyOf(found);
  }

  /** Which kernel computes: "vector-512" and the like, or "scalar". */
  public String name() {
    return kernel.name();
  }

  @Override
  public String toString() {
    return name();
  }

  /**
   * Has the compiler do its work before there is data to wait for it: the first calls run a
   * hundredfold slower. Takes about a second; to be called from a thread that may compute that
   * long.
   */
  public void warmUp() {
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer[] data = new ByteBuffer[WARM_UP_SHARDS];
      for (int i = 0; i < data.length; i++) {
        data[i] = arena.allocate(WARM_UP_BYTES).asByteBuffer();
      }
      ByteBuffer p = arena.allocate(WARM_UP_BYTES).asByteBuffer();
      ByteBuffer q = arena.allocate(WARM_UP_BYTES).asByteBuffer();
      for (int round = 0; round < WARM_UP_ROUNDS; round++) {
        xor(p, data);
        pq(p, q, data);
        update(p, q, 0, data[0], data[1]);
        multiplyInto(q, p, 2);
      }
    }
  }

  /** target = XOR of the sources, of which there is at least one. */
  public void xor(ByteBuffer target, ByteBuffer[] sources) {
    requireData(sources);
    int length = target.remaining();
    long to = Memory.writable(target, length);
    long[] from = Memory.addresses(sources, length);
    try {
      kernel.xor(to, from, 0, length);
    } finally {
      Reference.reachabilityFence(target);
      Reference.reachabilityFence(sources);
    }
  }

  /** target ^= source. */
  public void xorInto(ByteBuffer target, ByteBuffer source) {
    multiplyInto(target, source, 1);
  }

  /** target ^= coefficient * source in GF(2^8); the coefficient is 0 to 255. */
  public void multiplyInto(ByteBuffer target, ByteBuffer source, int coefficient) {
    if ((coefficient & 0xff) != coefficient) {
      throw new IllegalArgumentException("no element of GF(2^8): " + coefficient);
    }
    int length = target.remaining();
    long to = Memory.writable(target, length);
    long from = Memory.address(source, length);
    try {
      if (coefficient == 1) {
        kernel.xor(to, new long[] {to, from}, 0, length);
      } else if (coefficient != 0) {
        kernel.multiplyInto(to, from, coefficient, 0, length);
      }
    } finally {
      Reference.reachabilityFence(target);
      Reference.reachabilityFence(source);
    }
  }

  /** Computes P and Q of the data; a null {@code p} is left out. */
  public void pq(ByteBuffer p, ByteBuffer q, ByteBuffer[] data) {
    requireData(data);
    int length = q.remaining();
    long toP = p == null ? 0 : Memory.writable(p, length);
    long toQ = Memory.writable(q, length);
    long[] from = Memory.addresses(data, length);
    try {
      kernel.pq(toP, toQ, from, 0, length);
    } finally {
      Reference.reachabilityFence(p);
      Reference.reachabilityFence(q);
      Reference.reachabilityFence(data);
    }
  }

  /**
   * Read-modify-write: turns the parities of a stripe into those after its data shard {@code index}
   * changed from {@code before} to {@code after}. A null {@code q} is left out.
   */
  public void update(ByteBuffer p, ByteBuffer q, int index, ByteBuffer before, ByteBuffer after) {
    if (index < 0 || index >= Galois.MAX_DATA) {
      throw new IllegalArgumentException("no data shard " + index);
    }
    int length = p.remaining();
    long toP = Memory.writable(p, length);
    long toQ = q == null ? 0 : Memory.writable(q, length);
    long a = Memory.address(before, length);
    long b = Memory.address(after, length);
    try {
      kernel.update(toP, toQ, a, b, Galois.power(index), 0, length);
    } finally {
      Reference.reachabilityFence(p);
      Reference.reachabilityFence(q);
      Reference.reachabilityFence(before);
      Reference.reachabilityFence(after);
    }
  }

  /**
   * Rebuilds the missing shards in place from the others; the missing ones' content is overwritten.
   * One missing data shard is rebuilt from P, without reading Q; two need Q.
   *
   * @param q null for RAID-5, or where Q was not read and one shard other than Q is missing
   * @param missing one or two different shard numbers, in any order
   */
  public void recover(ByteBuffer[] data, ByteBuffer p, ByteBuffer q, int... missing) {
    requireData(data);
    int n = data.length;
    int[] lost = missing.clone();
    Arrays.sort(lost);
    int last = q == null ? n : n + 1;
    boolean wrong =
        lost.length < 1 || lost.length > 2 || lost[0] < 0 || lost[lost.length - 1] > last;
    if (wrong || lost.length == 2 && (lost[0] == lost[1] || q == null)) {
      throw new IllegalArgumentException(
          "cannot rebuild shards %s of %d data shards and %s"
              .formatted(Arrays.toString(missing), n, q == null ? "P" : "P and Q"));
    }
    checkAll(data, p, q, lost);
    int x = lost[0];
    int y = lost[lost.length - 1];
    if (x >= n) {
      rebuildParity(data, p, q, x, y);
    } else if (x == y) {
      fromP(data, p, x);
    } else if (y == n + 1) {
      fromP(data, p, x);
      pq(null, q, data);
    } else if (y == n) {
      fromQ(data, p, q, x);
    } else {
      fromPq(data, p, q, x, y);
    }
  }

  /**
   * Checks a stripe: which shard is wrong, if it can be told. Without Q (null), as at RAID-5, any
   * difference is {@link ParityCheck.SeveralWrong}. The shorter the shards, the more independent
   * errors are told apart: a scrub looks at a sector at a time.
   */
  public ParityCheck locate(ByteBuffer[] data, ByteBuffer p, ByteBuffer q) {
    requireData(data);
    int length = p.remaining();
    long storedP = Memory.address(p, length);
    long storedQ = q == null ? 0 : Memory.address(q, length);
    long[] from = Memory.addresses(data, length);
    try {
      return new ErrorLocator(kernel, from, storedP, storedQ, length).locate();
    } finally {
      Reference.reachabilityFence(p);
      Reference.reachabilityFence(q);
      Reference.reachabilityFence(data);
    }
  }

  private void rebuildParity(ByteBuffer[] data, ByteBuffer p, ByteBuffer q, int x, int y) {
    if (y == data.length) {
      xor(p, data);
    } else {
      pq(x == data.length ? p : null, q, data);
    }
  }

  /** D_x = P + the other data. */
  private void fromP(ByteBuffer[] data, ByteBuffer p, int x) {
    ByteBuffer[] others = data.clone();
    others[x] = p;
    xor(data[x], others);
  }

  /** D_x = (Q + Q with D_x as zero) / 2^x; P gets the other data's sum on the way. */
  private void fromQ(ByteBuffer[] data, ByteBuffer p, ByteBuffer q, int x) {
    clear(data[x]);
    pq(p, data[x], data);
    xorInto(data[x], q);
    scale(data[x], Galois.divide(1, Galois.power(x)));
    xorInto(p, data[x]);
  }

  /**
   * With s = P + P', t = Q + Q' (primes: of the data with both as zero) and d = 2^(y-x) + 1: D_x =
   * (2^(y-x) / d) s + (2^-x / d) t, and D_y = s + D_x. The missing buffers hold s and t on the way.
   */
  private void fromPq(ByteBuffer[] data, ByteBuffer p, ByteBuffer q, int x, int y) {
    clear(data[x]);
    clear(data[y]);
    pq(data[y], data[x], data);
    xorInto(data[y], p);
    xorInto(data[x], q);
    int ratio = Galois.power(y - x);
    int divisor = ratio ^ 1;
    scale(data[x], Galois.divide(1, Galois.multiply(Galois.power(x), divisor)));
    multiplyInto(data[x], data[y], Galois.divide(ratio, divisor));
    xorInto(data[y], data[x]);
  }

  /** buffer *= coefficient. */
  private void scale(ByteBuffer buffer, int coefficient) {
    multiplyInto(buffer, buffer, coefficient ^ 1);
  }

  /** A bytewise sum with itself is zero. */
  private void clear(ByteBuffer buffer) {
    multiplyInto(buffer, buffer, 1);
  }

  private static void requireData(ByteBuffer[] data) {
    if (data.length < 1 || data.length > Galois.MAX_DATA) {
      throw new IllegalArgumentException("1 to 255 shards, not " + data.length);
    }
  }

  private static void checkAll(ByteBuffer[] data, ByteBuffer p, ByteBuffer q, int[] lost) {
    int length = p.remaining();
    Memory.address(p, length);
    if (q != null) {
      Memory.address(q, length);
    }
    Memory.addresses(data, length);
    for (int shard : lost) {
      Memory.writable(shard < data.length ? data[shard] : shard == data.length ? p : q, length);
    }
  }
}
