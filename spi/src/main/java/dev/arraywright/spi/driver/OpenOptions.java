package dev.arraywright.spi.driver;

/**
 * How to open a device.
 *
 * @param readOnly refuse writes, and take only a shared claim
 * @param directIo bypass the page cache where the device can; where it cannot, {@link
 *     dev.arraywright.spi.device.DeviceInfo#directIo()} says so
 */
public record OpenOptions(boolean readOnly, boolean directIo) {
  /** Read and write, bypassing the page cache where possible. */
  public static final OpenOptions DEFAULT = new OpenOptions(false, true);

  /** Read only, bypassing the page cache where possible. */
  public static final OpenOptions READ_ONLY = new OpenOptions(true, true);
}
