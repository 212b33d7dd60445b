package dev.arraywright.raid.codec;

/** RAID-6 as its definition reads, a byte at a time, by shift and add. */
final class Reference {
  private Reference() {}

  static int multiply(int a, int b) {
    int product = 0;
    for (int bit = 0; bit < 8; bit++) {
      if ((b & 1 << bit) != 0) {
        product ^= a << bit;
      }
    }
    for (int bit = 14; bit >= 8; bit--) {
      if ((product & 1 << bit) != 0) {
        product ^= 0x11d << (bit - 8);
      }
    }
    return product;
  }

  static void multiplyInto(byte[] target, byte[] source, int coefficient) {
    for (int i = 0; i < target.length; i++) {
      target[i] ^= (byte) multiply(source[i] & 0xff, coefficient);
    }
  }

  /** The data's bytes, then those of P and Q, whatever stood there. */
  static byte[][] stripe(byte[][] shards) {
    int n = shards.length - 2;
    shards[n] = new byte[shards[0].length];
    shards[n + 1] = new byte[shards[0].length];
    int weight = 1;
    for (int d = 0; d < n; d++) {
      multiplyInto(shards[n], shards[d], 1);
      multiplyInto(shards[n + 1], shards[d], weight);
      weight = multiply(weight, 2);
    }
    return shards;
  }
}
