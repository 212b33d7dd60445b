package dev.arraywright.spi.device;

import java.util.Objects;

/**
 * Geometry and identity of an open device.
 *
 * @param id stable and unique on this machine: by serial or wwn where there is one, else by path
 * @param model what the maker calls it, or empty
 * @param serial the maker's serial number, or empty
 * @param type what kind of medium it is
 * @param numaNode the NUMA node it hangs on, -1 if unknown
 * @param size bytes, a multiple of {@code logicalBlockSize}
 * @param logicalBlockSize smallest addressable unit in bytes, a power of two
 * @param physicalBlockSize smallest unit written without reading first, in bytes, a power of two no
 *     smaller than {@code logicalBlockSize}
 * @param readOnly true if every write is refused
 * @param directIo true if transfers bypass the operating system's page cache
 */
public record DeviceInfo(
    String id,
    String model,
    String serial,
    DeviceType type,
    int numaNode,
    long size,
    int logicalBlockSize,
    int physicalBlockSize,
    boolean readOnly,
    boolean directIo) {

  public DeviceInfo {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(serial, "serial");
    Objects.requireNonNull(type, "type");
    if (Integer.bitCount(logicalBlockSize) != 1 || Integer.bitCount(physicalBlockSize) != 1) {
      throw new IllegalArgumentException(
          "block sizes are powers of two, not " + logicalBlockSize + " and " + physicalBlockSize);
    }
    if (logicalBlockSize < 0 || physicalBlockSize < logicalBlockSize) {
      throw new IllegalArgumentException(
          "physical block " + physicalBlockSize + " below logical block " + logicalBlockSize);
    }
    if (size < 0 || size % logicalBlockSize != 0) {
      throw new IllegalArgumentException(
          "size " + size + " is not a multiple of the logical block " + logicalBlockSize);
    }
  }

  /**
   * Throws unless the range is block-aligned and within the device.
   *
   * @throws IllegalArgumentException with the range and the device's limits
   */
  public void checkRange(long offset, long length) {
    long mask = logicalBlockSize - 1L;
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IllegalArgumentException(
          "%d bytes at %d do not lie within %s (%d bytes)".formatted(length, offset, id, size));
    }
    if (((offset | length) & mask) != 0) {
      throw new IllegalArgumentException(
          "%d bytes at %d are not in blocks of %d on %s"
              .formatted(length, offset, logicalBlockSize, id));
    }
  }
}
