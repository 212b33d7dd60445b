package dev.arraywright.raid.codec;

/**
 * GF(2^8), the field of RAID-6: bytes are polynomials over GF(2), addition is XOR, multiplication
 * is modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), and 2 generates every non-zero element.
 *
 * <p>With data shards D_0 … D_n-1 the parities are P = sum of D_i and Q = sum of 2^i D_i, hence at
 * most 255 data shards. Source: H. P. Anvin, "The mathematics of RAID-6".
 */
final class Galois {
  /** The polynomial without its x^8: what a doubling folds back in. */
  static final int POLYNOMIAL = 0x1d;

  /** Data shards that have distinct coefficients in Q. */
  static final int MAX_DATA = 255;

  private static final byte[] EXP = new byte[2 * MAX_DATA];
  private static final byte[] LOG = new byte[256];

  static {
    int value = 1;
    for (int i = 0; i < MAX_DATA; i++) {
      EXP[i] = EXP[i + MAX_DATA] = (byte) value;
      LOG[value] = (byte) i;
      value <<= 1;
      value ^= (value >> 8) * (0x100 | POLYNOMIAL);
    }
  }

  private Galois() {}

  static int multiply(int a, int b) {
    return a == 0 || b == 0 ? 0 : EXP[log(a) + log(b)] & 0xff;
  }

  /** a / b; b is not 0. */
  static int divide(int a, int b) {
    return a == 0 ? 0 : EXP[log(a) + MAX_DATA - log(b)] & 0xff;
  }

  /** 2 to the power of any non-negative exponent. */
  static int power(int exponent) {
    return EXP[exponent % MAX_DATA] & 0xff;
  }

  /** The exponent of 2, 0 to 254, that gives {@code a}. */
  static int log(int a) {
    if (a == 0) {
      throw new ArithmeticException("0 has no logarithm in GF(2^8)");
    }
    return LOG[a] & 0xff;
  }
}
