package dev.arraywright.spi.driver;

/**
 * How to open a device.
 *
 * @param readOnly refuse writes, and take only a shared claim
 * @param directIo bypass the page cache where the device can; where it cannot, {@link
 *     dev.arraywright.spi.device.DeviceInfo#directIo()} says so
 * @param takeOver another version of the same driver in this process has the device open, and is
 *     closed once this one serves: what it holds against other openers does not stand in the way
 */
public record OpenOptions(boolean readOnly, boolean directIo, boolean takeOver) {
  /** Read and write, bypassing the page cache where possible. */
  public static final OpenOptions DEFAULT = new OpenOptions(false, true);

  /** Read only, bypassing the page cache where possible. */
  public static final OpenOptions READ_ONLY = new OpenOptions(true, true);

  /** For a device that nobody here has open. */
  public OpenOptions(boolean readOnly, boolean directIo) {
    this(readOnly, directIo, false);
  }

  /** The same, of a device that another version of the driver has open. */
  public OpenOptions takingOver() {
    return new OpenOptions(readOnly, directIo, true);
  }
}
