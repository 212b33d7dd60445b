package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.OpenOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a driver opens and what it refuses, alone and to many at once. */
public abstract class DriverOpeningContract extends DriverSettingsContract {
  private static final int PATIENCE_SECONDS = 20;

  @Test
  @DisplayName("refuses addresses that are not its own or make no sense, and says what to do")
  void badAddresses() throws Exception {
    Driver driver = running();
    List<String> own = List.of(announced().supportedDevices());
    List<StorageAddress> foreign =
        List.of(
            new StorageAddress.Other("of-nobody", "x"),
            new StorageAddress.File("/nowhere/x"),
            new StorageAddress.Memory(1 << 20, "foreign"),
            new StorageAddress.Nbd("host.invalid", 1, "x"));
    for (StorageAddress address : foreign) {
      if (!own.contains(address.scheme())) {
        assertEquals(Reason.UNSUPPORTED, refused(driver, address).reason(), address.toString());
      }
    }
    for (StorageAddress address : malformed()) {
      Reason reason = refused(driver, address).reason();
      assertTrue(
          reason == Reason.INVALID || reason == Reason.UNSUPPORTED, address + " is " + reason);
    }
    driver.open(present(), OpenOptions.DEFAULT).close();
  }

  @Test
  @DisplayName("says that nothing is where nothing is, or makes what it is asked for")
  void nothingThere() throws Exception {
    StorageAddress missing = missing();
    Driver driver = running();
    if (missing == null) { // then all that makes sense is there, also for one that only reads
      driver.open(present(), OpenOptions.READ_ONLY).close();
      return;
    }
    for (OpenOptions options : List.of(OpenOptions.READ_ONLY, OpenOptions.DEFAULT)) {
      DriverException e =
          assertThrows(DriverException.class, () -> driver.open(missing, options).close());
      assertOperatorsWords(e);
      assertTrue(
          e.reason() == Reason.NOT_FOUND || e.reason() == Reason.UNREACHABLE,
          missing + " is " + e.reason());
    }
  }

  @Test
  @DisplayName("gives the same device each time it is opened")
  void sameDevice() throws Exception {
    Driver driver = running();
    DeviceInfo first;
    try (BlockDevice device = driver.open(present(), OpenOptions.DEFAULT)) {
      first = device.info();
      assertFalse(first.readOnly());
      device.write(pattern(first, 3), 0);
      device.flush();
    }
    try (BlockDevice device = running().open(present(), OpenOptions.READ_ONLY)) {
      assertTrue(device.info().readOnly());
      assertEquals(first.id(), device.info().id());
      assertEquals(first.size(), device.info().size());
      assertEquals(first.logicalBlockSize(), device.info().logicalBlockSize());
      // Memory is the one thing that is another driver's, and another device, by nature.
      if (missing() != null) {
        assertHolds(device, 3);
      }
    }
  }

  @Test
  @DisplayName("opens from many threads at once: readers share, and of writers one has it")
  void manyOpeners() throws Exception {
    Driver driver = running();
    driver.open(present(), OpenOptions.DEFAULT).close();
    assertEquals(8, opened(driver, OpenOptions.READ_ONLY), "readers");
    int writers = opened(driver, OpenOptions.DEFAULT);
    if (claims()) {
      assertEquals(1, writers, "writers");
    } else {
      assertTrue(writers >= 1, "writers: " + writers);
    }
    driver.open(present(), OpenOptions.DEFAULT).close();
  }

  /** How many of eight threads that open it together get it; it is closed once all have tried. */
  private int opened(Driver driver, OpenOptions options) throws Exception {
    StorageAddress address = present();
    CyclicBarrier together = new CyclicBarrier(8);
    Callable<Boolean> opener =
        () -> {
          together.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
          try (BlockDevice device = driver.open(address, options)) {
            together.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return device.isOnline();
          } catch (DriverException e) {
            assertOperatorsWords(e);
            assertEquals(Reason.IN_USE, e.reason(), e.getMessage());
            together.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return false;
          }
        };
    int count = 0;
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<Boolean>> openers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        openers.add(executor.submit(opener));
      }
      for (Future<Boolean> one : openers) {
        count += one.get() ? 1 : 0;
      }
    }
    return count;
  }
}
