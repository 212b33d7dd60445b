package dev.arraywright.samples.overlay;

import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.testing.DriverContract;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

class OverlayDriverContractTest extends DriverContract {
  private final Scratch scratch = new Scratch(1 << 20);

  OverlayDriverContractTest() throws IOException {}

  @AfterEach
  void delete() throws IOException {
    scratch.close();
  }

  @Override
  protected Class<? extends Driver> driver() {
    return OverlayDriver.class;
  }

  @Override
  protected StorageAddress present() {
    return scratch.address();
  }

  @Override
  protected StorageAddress missing() {
    return new StorageAddress.Other("overlay", scratch.directory + "/none.img");
  }

  @Override
  protected List<StorageAddress> malformed() {
    String base = scratch.base.toString();
    return List.of(
        new StorageAddress.Other("overlay", "relative.img"),
        new StorageAddress.Other("overlay", "//host" + base),
        new StorageAddress.Other("overlay", base + "?dleta=/tmp/x"),
        new StorageAddress.Other("overlay", base + "?delta=relative"),
        new StorageAddress.Other("overlay", base + "?delta=%zz"),
        new StorageAddress.Other("overlay", base + "?delta=/tmp/x&more=1"),
        new StorageAddress.Other("overlay", base + "?delta=" + base),
        new StorageAddress.Other("overlay", base + "#part"),
        new StorageAddress.Other("overlay", scratch.directory + "?delta=" + scratch.delta));
  }
}
