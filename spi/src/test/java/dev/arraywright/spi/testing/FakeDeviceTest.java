package dev.arraywright.spi.testing;

import dev.arraywright.spi.device.BlockDevice;

class FakeDeviceTest extends BlockDeviceContract {
  @Override
  protected BlockDevice open(long size) {
    return new FakeDevice("fake", (int) size);
  }

  @Override
  protected BlockDevice reopenReadOnly() {
    return null;
  }
}
