package dev.arraywright.spi.testing;

import dev.arraywright.spi.device.BlockDevice;

class FakeDeviceTest extends BlockDeviceContract {
  private FakeDevice device;

  @Override
  protected BlockDevice open(long size) {
    device = new FakeDevice("fake", (int) size);
    return device;
  }

  @Override
  protected BlockDevice reopenReadOnly() {
    return device.reopenedReadOnly();
  }
}
