package dev.arraywright.raid.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random shards at odd addresses inside larger buffers, with guard bytes on both sides. */
final class Stripe {
  private static final byte GUARD = (byte) 0xa5;
  private static final int MARGIN = 80;

  final ByteBuffer[] data;
  final ByteBuffer p;
  final ByteBuffer q;
  private final int length;
  private final List<ByteBuffer> shards = new ArrayList<>();

  Stripe(Random random, int count, int length) {
    this.length = length;
    data = new ByteBuffer[count];
    for (int i = 0; i < count; i++) {
      data[i] = shard(random);
    }
    p = shard(random);
    q = shard(random);
  }

  /** One more shard of random content. */
  ByteBuffer shard(Random random) {
    ByteBuffer whole = ByteBuffer.allocateDirect(length + 2 * MARGIN);
    for (int i = 0; i < whole.capacity(); i++) {
      whole.put(i, GUARD);
    }
    whole.position(random.nextInt(MARGIN)).limit(whole.position() + length);
    fill(random, whole);
    shards.add(whole);
    return whole;
  }

  ByteBuffer shard(int index) {
    return index < data.length ? data[index] : index == data.length ? p : q;
  }

  void lose(Random random, int... missing) {
    for (int index : missing) {
      fill(random, shard(index));
    }
  }

  void fill(Random random, ByteBuffer... buffers) {
    for (ByteBuffer buffer : buffers) {
      for (int i = buffer.position(); i < buffer.limit(); i++) {
        buffer.put(i, (byte) random.nextInt());
      }
    }
  }

  /** Damages one to three bytes of a shard. */
  void flip(Random random, int shard) {
    for (int at : random.ints(1 + random.nextInt(3), 0, length).distinct().toArray()) {
      ByteBuffer buffer = shard(shard);
      int index = buffer.position() + at;
      buffer.put(index, (byte) (buffer.get(index) ^ 1 + random.nextInt(255)));
    }
  }

  void xorAt(int shard, int at, int change) {
    ByteBuffer buffer = shard(shard);
    int index = buffer.position() + at;
    buffer.put(index, (byte) (buffer.get(index) ^ change));
  }

  byte[][] bytes() {
    byte[][] bytes = new byte[data.length + 2][length];
    for (int i = 0; i < bytes.length; i++) {
      shard(i).get(shard(i).position(), bytes[i]);
    }
    return bytes;
  }

  void assertNothingElseTouched() {
    for (ByteBuffer shard : shards) {
      assertEquals(length, shard.remaining());
      ByteBuffer whole = shard.duplicate().clear();
      for (int i = 0; i < whole.capacity(); i++) {
        if (i < shard.position() || i >= shard.limit()) {
          assertEquals(GUARD, whole.get(i), "guard byte " + i + " of " + shard);
        }
      }
    }
  }
}
