package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.driver.StorageDriver;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;

/**
 * A driver under test: what its author gives, and what the suites of {@link DriverContract} have in
 * common.
 */
public abstract class DriverSubject {
  private final List<Driver> drivers = new ArrayList<>();

  /** The class that carries {@link StorageDriver}. */
  protected abstract Class<? extends Driver> driver();

  /** Where a device of at least 64 KiB is that can be written; the same one throughout a test. */
  protected abstract StorageAddress present() throws Exception;

  /** Where the driver would look and find nothing; null if it makes what it is asked for. */
  protected abstract StorageAddress missing() throws Exception;

  /** Addresses of the driver's scheme that make no sense to it. */
  protected List<StorageAddress> malformed() throws Exception {
    return List.of();
  }

  /** Settings to test with, beside the defaults. */
  protected Map<String, String> settings() throws Exception {
    return Map.of();
  }

  /** Whether an open device can be kept from other openers. */
  protected boolean claims() {
    return true;
  }

  @AfterEach
  final void closeDrivers() {
    drivers.forEach(Driver::close);
  }

  final StorageDriver announced() {
    StorageDriver announced = driver().getAnnotation(StorageDriver.class);
    assertNotNull(announced, driver().getName() + " has no @StorageDriver");
    return announced;
  }

  final DriverRig rig() throws Exception {
    return DriverRig.of(announced(), settings());
  }

  final Driver running() throws Exception {
    return running(driver());
  }

  final Driver running(Class<?> type) throws Exception {
    Driver driver = DriverRig.make(type);
    drivers.add(driver);
    driver.initialize(rig());
    driver.start();
    return driver;
  }

  /** Closes it now, and not after the test. */
  final void close(Driver driver) {
    driver.close();
    drivers.remove(driver);
  }

  static DriverException refused(Driver driver, StorageAddress address) {
    DriverException e =
        assertThrows(
            DriverException.class,
            () -> driver.open(address, OpenOptions.DEFAULT).close(),
            address.toString());
    assertOperatorsWords(e);
    return e;
  }

  static void assertOperatorsWords(DriverException e) {
    assertNotNull(e.getMessage(), "a DriverException without a message");
    assertOneLine(e.getMessage());
    assertFalse(e.remedy().isBlank(), "no remedy for: " + e.getMessage());
    assertFalse(
        e.getMessage().matches("(java|kotlin|javax|sun)\\..*|.*\\bnull\\b.*"),
        "no words for an operator: " + e.getMessage());
  }

  static void assertOneLine(String text) {
    assertFalse(text.isBlank(), "empty");
    assertTrue(text.lines().count() == 1, "more than a line: " + text);
  }

  static ByteBuffer pattern(DeviceInfo info, int value) {
    byte[] bytes = new byte[Math.max(8192, info.logicalBlockSize())];
    Arrays.fill(bytes, (byte) value);
    return ByteBuffer.wrap(bytes);
  }

  static void assertHolds(BlockDevice device, int value) throws Exception {
    ByteBuffer expected = pattern(device.info(), value);
    ByteBuffer seen = ByteBuffer.allocate(expected.capacity());
    device.read(seen, 0);
    assertArrayEquals(expected.array(), seen.array());
  }
}
