package dev.arraywright.spi.device;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;

/** Byte counts as people write them: {@code 4096}, {@code 64KiB}, {@code 64K}, {@code 1.5GiB}. */
public final class ByteSize {
  private static final List<String> UNITS = List.of("", "KiB", "MiB", "GiB", "TiB", "PiB");

  private ByteSize() {}

  /**
   * Parses digits with an optional fraction and an optional unit: {@code K}, {@code KiB} and so on
   * are powers of 1024, {@code KB} and so on powers of 1000; case does not matter.
   *
   * @throws IllegalArgumentException if it is no size, is no whole number of bytes, or is above
   *     2^63-1
   */
  public static long parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    int end = 0;
    while (end < lower.length()
        && (Character.digit(lower.charAt(end), 10) >= 0 || lower.charAt(end) == '.')) {
      end++;
    }
    String unit = lower.substring(end).strip();
    long factor = 1;
    if (!unit.isEmpty() && !unit.equals("b")) {
      int power = "kmgtp".indexOf(unit.charAt(0)) + 1;
      String tail = unit.substring(1);
      if (power == 0 || !(tail.isEmpty() || tail.equals("ib") || tail.equals("b"))) {
        throw new IllegalArgumentException(
            "not a size: '" + text + "' (unit '" + unit + "' is unknown)");
      }
      factor = power(tail.equals("b") ? 1000 : 1024, power);
    }
    try {
      return new BigDecimal(lower.substring(0, end))
          .multiply(BigDecimal.valueOf(factor))
          .longValueExact();
    } catch (ArithmeticException | NumberFormatException e) {
      throw new IllegalArgumentException("not a size: '" + text + "'", e);
    }
  }

  /** The exact count in the largest binary unit that divides it: what {@link #parse} reads back. */
  public static String format(long bytes) {
    int unit = 0;
    long count = bytes;
    while (count != 0 && count % 1024 == 0 && unit < UNITS.size() - 1) {
      count /= 1024;
      unit++;
    }
    return count + UNITS.get(unit);
  }

  private static long power(long base, int exponent) {
    long result = 1;
    for (int i = 0; i < exponent; i++) {
      result *= base;
    }
    return result;
  }
}
