package dev.arraywright.samples.overlay;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.ByteSize;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverContext;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.DriverSetting;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.driver.StorageDriver;
import java.util.Map;

/**
 * Copy-on-write overlays: an image that is only ever read, and beside it a sparse file that takes
 * what is written. Many machines can start from one image; throwing the delta away undoes all.
 */
@StorageDriver(
    name = "overlay",
    description = "Copy-on-write overlays over read-only images",
    version = "0.1.0",
    supportedDevices = OverlayAddress.SCHEME,
    settings = {
      @DriverSetting(
          name = "block-size",
          description = "What is copied at once, for new deltas: a power of two, 4KiB to 1MiB",
          type = DriverSetting.Type.SIZE,
          defaultValue = "64KiB"),
      @DriverSetting(
          name = "check-base",
          description = "Whether a delta is refused once its image was modified",
          type = DriverSetting.Type.BOOLEAN,
          defaultValue = "true")
    })
public final class OverlayDriver implements Driver {
  private record Settings(int blockSize, boolean checkBase) {}

  private volatile Settings settings;
  private System.Logger logger;

  @Override
  public void initialize(DriverContext context) throws DriverException {
    logger = context.logger();
    settings = parse(context.settings());
  }

  @Override
  public BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException {
    OverlayAddress overlay = OverlayAddress.of(address);
    Settings current = settings;
    OverlayDevice device =
        new OverlayOpening(overlay, options, current.blockSize, current.checkBase).open();
    logger.log(System.Logger.Level.DEBUG, "{0}: {1} blocks differ", overlay, device.changed());
    return device;
  }

  /** Counts for devices opened from now on. */
  @Override
  public boolean reconfigure(Map<String, String> changed) throws DriverException {
    settings = parse(changed);
    return true;
  }

  @Override
  public void close() {}

  private static Settings parse(Map<String, String> settings) throws DriverException {
    String given = settings.getOrDefault("block-size", "64KiB");
    long size;
    try {
      size = ByteSize.parse(given);
    } catch (IllegalArgumentException e) {
      size = -1;
    }
    if (Long.bitCount(size) != 1 || size < 4096 || size > 1 << 20) {
      throw new DriverException(
          Reason.INVALID,
          "the block-size of the overlay driver is '" + given + "'",
          "set a power of two from 4KiB to 1MiB");
    }
    String check = settings.getOrDefault("check-base", "true");
    if (!check.equals("true") && !check.equals("false")) {
      throw new DriverException(
          Reason.INVALID,
          "check-base of the overlay driver is '" + check + "'",
          "set true or false");
    }
    return new Settings((int) size, check.equals("true"));
  }
}
