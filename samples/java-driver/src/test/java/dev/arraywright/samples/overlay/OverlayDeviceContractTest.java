package dev.arraywright.samples.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.testing.BlockDeviceContract;
import org.junit.jupiter.api.AfterEach;

/** With the largest blocks, nearly every write of the suite is a part of one. */
class OverlayDeviceContractTest extends BlockDeviceContract {
  private Scratch scratch;
  private byte[] image;

  @Override
  protected BlockDevice open(long size) throws Exception {
    scratch = new Scratch((int) size);
    image = scratch.image();
    return scratch.open(OpenOptions.DEFAULT, "block-size", "1MiB");
  }

  @Override
  protected BlockDevice reopenReadOnly() throws Exception {
    return scratch.open(OpenOptions.READ_ONLY);
  }

  @AfterEach
  void imageIsAsItWas() throws Exception {
    assertArrayEquals(image, scratch.image());
    scratch.close();
  }
}
