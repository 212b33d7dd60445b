package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.OpenOptions;
import java.lang.ref.WeakReference;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What {@link Driver} promises, as tests. A driver's test extends this class and gives three
 * things: the driver's class, the address of a device that is there, and one where none is.
 *
 * <p>This is all of it for a driver that is loaded, replaced and unloaded while the application
 * runs. For one that is a part of the application there is {@link ResidentDriverContract}.
 *
 * <p>Together with {@link BlockDeviceContract} for the devices it opens, this is what the kernel
 * relies on. The tests write to the device.
 */
public abstract class DriverContract extends DriverLifeContract {
  @Test
  @DisplayName("takes a device over from another version of itself, which is then closed")
  void takeOver() throws Exception {
    Driver old = running();
    BlockDevice before = old.open(present(), OpenOptions.DEFAULT);
    before.write(pattern(before.info(), 7), 0);
    before.flush();
    Driver fresh = running(ApartLoader.reload(driver()));
    try (BlockDevice device = fresh.open(present(), OpenOptions.DEFAULT.takingOver())) {
      assertEquals(before.info().id(), device.info().id());
      assertEquals(before.info().size(), device.info().size());
      assertEquals(before.info().logicalBlockSize(), device.info().logicalBlockSize());
      assertEquals(before.info().physicalBlockSize(), device.info().physicalBlockSize());
      assertFalse(device.info().readOnly());
      before.close();
      old.stop();
      close(old);
      assertHolds(device, 7);
      device.write(pattern(device.info(), 8), 0);
      device.flush();
      assertHolds(device, 8);
      if (claims()) {
        assertEquals(Reason.IN_USE, refused(running(), present()).reason());
      }
    }
    try (BlockDevice device = running().open(present(), OpenOptions.DEFAULT)) {
      assertHolds(device, 8);
    }
  }

  @Test
  @DisplayName("leaves no thread and no class behind")
  void nothingLeft() throws Exception {
    WeakReference<ClassLoader> loader =
        new WeakReference<>(wholeLife(ApartLoader.reload(driver())));
    assertTrue(eventually(() -> threadsOf(loader).isEmpty()), "run on: " + threadsOf(loader));
    assertTrue(
        eventually(
            () -> {
              System.gc();
              return loader.refersTo(null);
            }),
        "something of the process still holds the driver's classes");
  }

  /** Threads that began as the driver's own: they have its loader, as those that start them do. */
  private static Set<Thread> threadsOf(WeakReference<ClassLoader> loader) {
    Set<Thread> own = new HashSet<>(threads());
    own.removeIf(
        thread -> {
          ClassLoader context = thread.getContextClassLoader();
          ClassLoader type = thread.getClass().getClassLoader();
          return !thread.isAlive()
              || !(context != null && loader.refersTo(context)
                  || type != null && loader.refersTo(type));
        });
    return own;
  }
}
