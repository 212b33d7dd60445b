package dev.arraywright.spi.device;

/**
 * A run of bytes that is either data or a hole.
 *
 * @param offset first byte
 * @param length bytes, positive
 * @param hole true where nothing is allocated and reads return zeroes
 */
public record Extent(long offset, long length, boolean hole) {
  public Extent {
    if (offset < 0 || length <= 0 || offset > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException("no extent: offset " + offset + ", length " + length);
    }
  }

  /** The first byte after the extent. */
  public long end() {
    return offset + length;
  }
}
