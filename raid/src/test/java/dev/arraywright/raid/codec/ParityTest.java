package dev.arraywright.raid.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.arraywright.raid.codec.ParityCheck.Consistent;
import dev.arraywright.raid.codec.ParityCheck.OneWrong;
import dev.arraywright.raid.codec.ParityCheck.SeveralWrong;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel against bytes computed one at a time, by a multiplication that knows no tables. */
class ParityTest {
  private static final long SEED = 20_251_120;

  /** The first 32 bytes of a stripe's shards as Linux 6.12 wrote them: six of data, P, Q. */
  private static final List<String> LINUX_STRIPE =
      List.of(
          "c7fe86d4912d4fd7b265cb0440c177f06d06db6f8ba4ebd1fe8c61dfa8222ebf",
          "cd98d123b14220b60c306e94affe7445412cc5a82e7d04c7d39370ecc2f9b448",
          "9fcd8a9b767c7cc0edfe2e38e443f6a8e4f8df84576b0a5578853148d67fd1f7",
          "bb407292da2478b39862ce88fc89ea32bba0a8ea4ce3effb3bd84c790bcb75de",
          "a20608cc619d4933b40a4753dc52329928b99673ca9a3cd42b0d6abbbd39c050",
          "c63f87bfb1581afab736ffadafb705e441ac8766c3e60b159507e48e6289644e",
          "4ad2208d5cf238dbc8f5fdde841028521a6778bcb72d3d79d048e23768df9ac0",
          "a02931024893865161c303b80227c4d99b8b8634b5607adba02720a7d57d3736");

  static Stream<Parity> kernels() {
    return Parity.available().stream();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyOperationAgreesWithTheReference(Parity parity) {
    Random random = new Random(SEED);
    for (int round = 0; round < 1500; round++) {
      int length = round < 400 ? round : random.nextInt(700);
      Stripe stripe = new Stripe(random, 1 + random.nextInt(24), length);
      byte[][] want = Reference.stripe(stripe.bytes());
      int n = stripe.data.length;

      parity.pq(stripe.p, stripe.q, stripe.data);
      assertArrayEquals(want[n], bytes(stripe.p), "P, round " + round);
      assertArrayEquals(want[n + 1], bytes(stripe.q), "Q, round " + round);

      stripe.fill(random, stripe.p, stripe.q);
      parity.pq(null, stripe.q, stripe.data);
      assertArrayEquals(want[n + 1], bytes(stripe.q), "Q alone, round " + round);
      parity.xor(stripe.p, stripe.data);
      assertArrayEquals(want[n], bytes(stripe.p), "xor, round " + round);

      int coefficient = random.nextInt(256);
      byte[] sum = bytes(stripe.p);
      Reference.multiplyInto(sum, bytes(stripe.data[0]), coefficient);
      parity.multiplyInto(stripe.p, stripe.data[0], coefficient);
      assertArrayEquals(sum, bytes(stripe.p), "times " + coefficient + ", round " + round);
      parity.xorInto(stripe.p, stripe.data[0]);
      Reference.multiplyInto(sum, bytes(stripe.data[0]), 1);
      assertArrayEquals(sum, bytes(stripe.p), "xorInto, round " + round);
      stripe.assertNothingElseTouched();
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void anUpdateGivesWhatRecomputingGives(Parity parity) {
    Random random = new Random(SEED);
    for (int round = 0; round < 600; round++) {
      Stripe stripe = new Stripe(random, 1 + random.nextInt(24), random.nextInt(500));
      parity.pq(stripe.p, stripe.q, stripe.data);
      int index = random.nextInt(stripe.data.length);
      ByteBuffer before = stripe.data[index];
      stripe.data[index] = stripe.shard(random);
      boolean both = random.nextBoolean();
      parity.update(stripe.p, both ? stripe.q : null, index, before, stripe.data[index]);
      byte[][] want = Reference.stripe(stripe.bytes());
      assertArrayEquals(want[stripe.data.length], bytes(stripe.p));
      if (both) {
        assertArrayEquals(want[stripe.data.length + 1], bytes(stripe.q));
      }
      stripe.assertNothingElseTouched();
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyOneAndEveryPairOfMissingShardsComesBack(Parity parity) {
    Random random = new Random(SEED);
    for (int n = 1; n <= 22; n++) {
      Stripe stripe = new Stripe(random, n, 1 + random.nextInt(300));
      parity.pq(stripe.p, stripe.q, stripe.data);
      byte[][] want = Reference.stripe(stripe.bytes());
      for (int x = 0; x <= n + 1; x++) {
        for (int y = 0; y <= n + 1; y++) {
          int[] missing = x == y ? new int[] {x} : new int[] {x, y};
          stripe.lose(random, missing);
          parity.recover(stripe.data, stripe.p, stripe.q, missing);
          for (int i = 0; i < n + 2; i++) {
            assertArrayEquals(want[i], bytes(stripe.shard(i)), "%d of %d, %d".formatted(x, n, y));
          }
        }
        if (x <= n) {
          stripe.lose(random, x);
          parity.recover(stripe.data, stripe.p, null, x);
          assertArrayEquals(
              want[x], bytes(stripe.shard(x)), "by P alone, %d of %d".formatted(x, n));
        }
      }
      stripe.assertNothingElseTouched();
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theWidestStripeHasDistinctCoefficients(Parity parity) {
    Random random = new Random(SEED);
    Stripe stripe = new Stripe(random, 255, 70);
    parity.pq(stripe.p, stripe.q, stripe.data);
    byte[][] want = Reference.stripe(stripe.bytes());
    stripe.lose(random, 0, 254);
    parity.recover(stripe.data, stripe.p, stripe.q, 254, 0);
    assertArrayEquals(want[0], bytes(stripe.data[0]));
    assertArrayEquals(want[254], bytes(stripe.data[254]));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theOneWrongShardIsFound(Parity parity) {
    Random random = new Random(SEED);
    for (int round = 0; round < 400; round++) {
      int n = 1 + random.nextInt(22);
      Stripe stripe = new Stripe(random, n, 1 + random.nextInt(round < 390 ? 300 : 50_000));
      parity.pq(stripe.p, stripe.q, stripe.data);
      assertEquals(new Consistent(), parity.locate(stripe.data, stripe.p, stripe.q));
      assertEquals(new Consistent(), parity.locate(stripe.data, stripe.p, null));
      int shard = random.nextInt(n + 2);
      stripe.flip(random, shard);
      assertEquals(new OneWrong(shard), parity.locate(stripe.data, stripe.p, stripe.q));
      if (shard <= n) {
        assertEquals(new SeveralWrong(), parity.locate(stripe.data, stripe.p, null));
      }
      parity.recover(stripe.data, stripe.p, stripe.q, shard);
      assertEquals(new Consistent(), parity.locate(stripe.data, stripe.p, stripe.q));
      stripe.assertNothingElseTouched();
    }
  }

  /**
   * Bytes of two shards at different offsets always tell; at one offset they can pose as a third.
   */
  @ParameterizedTest
  @MethodSource("kernels")
  void twoWrongShardsAreNotTakenForOne(Parity parity) {
    Random random = new Random(SEED);
    for (int n = 1; n <= 12; n++) {
      Stripe stripe = new Stripe(random, n, 40_000);
      parity.pq(stripe.p, stripe.q, stripe.data);
      for (int x = 0; x < n + 2; x++) {
        for (int y = 0; y < x; y++) {
          stripe.xorAt(x, 17, 0x40);
          stripe.xorAt(y, 39_999, 0x40);
          assertEquals(new SeveralWrong(), parity.locate(stripe.data, stripe.p, stripe.q));
          stripe.xorAt(x, 17, 0x40);
          stripe.xorAt(y, 39_999, 0x40);
        }
      }
      assertEquals(new Consistent(), parity.locate(stripe.data, stripe.p, stripe.q));
    }
  }

  /** One differing byte of P and of Q names data shard i if their quotient is 2^i, real or not. */
  @ParameterizedTest
  @MethodSource("kernels")
  void aShardThatIsNotThereIsNotToBlame(Parity parity) {
    Stripe stripe = new Stripe(new Random(SEED), 5, 100);
    int weight = 1;
    for (int i = 0; i < 255; i++) {
      parity.pq(stripe.p, stripe.q, stripe.data);
      stripe.xorAt(5, 42, 1);
      stripe.xorAt(6, 42, weight);
      ParityCheck want = i < 5 ? new OneWrong(i) : new SeveralWrong();
      assertEquals(want, parity.locate(stripe.data, stripe.p, stripe.q));
      weight = Reference.multiply(weight, 2);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void misuseIsRefusedBeforeAnythingIsWritten(Parity parity) {
    Stripe stripe = new Stripe(new Random(SEED), 3, 64);
    byte[][] before = stripe.bytes();
    ByteBuffer heap = ByteBuffer.allocate(64);
    ByteBuffer shorter = ByteBuffer.allocateDirect(63);
    ByteBuffer[] none = {};
    List<Runnable> misuses = new ArrayList<>();
    misuses.add(() -> parity.xor(heap, stripe.data));
    misuses.add(() -> parity.xor(stripe.p, none));
    misuses.add(() -> parity.xorInto(stripe.p, heap));
    misuses.add(() -> parity.pq(stripe.p, shorter, stripe.data));
    misuses.add(() -> parity.pq(stripe.p.asReadOnlyBuffer(), stripe.q, stripe.data));
    misuses.add(() -> parity.multiplyInto(stripe.p, stripe.q, 256));
    misuses.add(() -> parity.update(stripe.p, stripe.q, 255, stripe.data[0], stripe.data[1]));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, stripe.q, 1, 1));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, stripe.q));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, stripe.q, 0, 1, 2));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, stripe.q, 5));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, null, 0, 1));
    misuses.add(() -> parity.recover(stripe.data, stripe.p, shorter, 0, 1));
    misuses.add(
        () -> {
          ByteBuffer[] fixed = {stripe.data[0], stripe.data[1].asReadOnlyBuffer(), stripe.data[2]};
          parity.recover(fixed, stripe.p, stripe.q, 0, 1);
        });
    for (int i = 0; i < misuses.size(); i++) {
      Runnable misuse = misuses.get(i);
      assertThrows(IllegalArgumentException.class, misuse::run, "misuse " + i);
    }
    Arena arena = Arena.ofShared();
    ByteBuffer closed = arena.allocate(64).asByteBuffer();
    arena.close();
    assertThrows(IllegalStateException.class, () -> parity.xorInto(closed, stripe.q));
    assertThrows(IllegalStateException.class, () -> parity.xorInto(stripe.q, closed));
    for (int i = 0; i < before.length; i++) {
      assertArrayEquals(before[i], bytes(stripe.shard(i)));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void parityIsWhatLinuxWrites(Parity parity) {
    ByteBuffer[] shards = new ByteBuffer[LINUX_STRIPE.size()];
    for (int i = 0; i < shards.length; i++) {
      byte[] bytes = HexFormat.of().parseHex(LINUX_STRIPE.get(i));
      shards[i] = ByteBuffer.allocateDirect(256);
      while (shards[i].hasRemaining()) {
        shards[i].put(bytes);
      }
      shards[i].flip();
    }
    ByteBuffer p = ByteBuffer.allocateDirect(256);
    ByteBuffer q = ByteBuffer.allocateDirect(256);
    parity.pq(p, q, Arrays.copyOf(shards, 6));
    assertEquals(shards[6], p);
    assertEquals(shards[7], q);
  }

  /** The paper defines the product with 2 by these relations of bits, x_7 being the highest. */
  @ParameterizedTest
  @MethodSource("kernels")
  void doublingIsAsThePaperDefinesItBitByBit(Parity parity) {
    int[][] relations = {{7}, {0}, {1, 7}, {2, 7}, {3, 7}, {4}, {5}, {6}};
    ByteBuffer all = ByteBuffer.allocateDirect(256);
    ByteBuffer doubled = ByteBuffer.allocateDirect(256);
    for (int x = 0; x < 256; x++) {
      all.put(x, (byte) x);
    }
    parity.multiplyInto(doubled, all, 2);
    for (int x = 0; x < 256; x++) {
      int want = 0;
      for (int bit = 0; bit < 8; bit++) {
        for (int term : relations[bit]) {
          want ^= (x >> term & 1) << bit;
        }
      }
      assertEquals(want, doubled.get(x) & 0xff, "2 * " + x);
    }
  }

  /** 2 generates the field: Q weighs one byte 1 as data shard i by 255 different values, cyclic. */
  @ParameterizedTest
  @MethodSource("kernels")
  void theWeightsOfQAreThePowersOfTwo(Parity parity) {
    Set<Integer> weights = new HashSet<>();
    ByteBuffer q = ByteBuffer.allocateDirect(70);
    ByteBuffer one = ByteBuffer.allocateDirect(70);
    ByteBuffer[] data = new ByteBuffer[255];
    Arrays.fill(data, ByteBuffer.allocateDirect(70));
    for (int i = 0; i < 70; i++) {
      one.put(i, (byte) 1);
    }
    for (int i = 0; i < data.length; i++) {
      ByteBuffer zero = data[i];
      data[i] = one;
      parity.pq(null, q, data);
      data[i] = zero;
      assertEquals(q.get(0), q.get(69));
      weights.add(q.get(0) & 0xff);
      if (i == 8) {
        assertEquals(0x1d, q.get(0));
      }
    }
    assertEquals(255, weights.size());
    assertEquals(0x8e, q.get(0) & 0xff, "2^254 is the inverse of 2");
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }
}
