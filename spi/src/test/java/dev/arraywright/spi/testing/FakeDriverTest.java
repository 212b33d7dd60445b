package dev.arraywright.spi.testing;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverContext;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.DriverSetting;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.driver.StorageDriver;
import java.util.List;

/** The smallest driver that keeps the contract. */
class FakeDriverTest extends ResidentDriverContract {
  @StorageDriver(
      name = "fake",
      description = "A device on the heap",
      version = "1.0.0-beta",
      supportedDevices = "fake",
      settings =
          @DriverSetting(
              name = "size",
              description = "How large its devices are",
              type = DriverSetting.Type.INTEGER,
              defaultValue = "65536"))
  public static final class FakeDriver implements Driver {
    private int size;
    private FakeDevice content;

    @Override
    public void initialize(DriverContext context) throws DriverException {
      String given = context.settings().getOrDefault("size", "65536");
      if (!given.matches("[1-9]\\d{0,6}") || Integer.parseInt(given) % 512 != 0) {
        throw new DriverException(
            Reason.INVALID, "the size " + given + " is none", "give a multiple of 512");
      }
      size = Integer.parseInt(given);
    }

    @Override
    public synchronized BlockDevice open(StorageAddress address, OpenOptions options)
        throws DriverException {
      if (!address.scheme().equals("fake")) {
        throw new DriverException(Reason.UNSUPPORTED, address + " is no fake", "write fake:x");
      }
      if (address.toString().contains("?")) {
        throw new DriverException(Reason.INVALID, address + " has options", "leave them out");
      }
      if (content == null) {
        content = new FakeDevice("fake", size);
      }
      return options.readOnly() ? content.reopenedReadOnly() : content.reopened();
    }

    @Override
    public void close() {}
  }

  @Override
  protected Class<? extends Driver> driver() {
    return FakeDriver.class;
  }

  @Override
  protected StorageAddress present() {
    return new StorageAddress.Other("fake", "x");
  }

  @Override
  protected StorageAddress missing() {
    return null;
  }

  @Override
  protected List<StorageAddress> malformed() {
    return List.of(new StorageAddress.Other("fake", "x?y"));
  }

  @Override
  protected boolean claims() {
    return false;
  }
}
