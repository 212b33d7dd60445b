package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceHealth;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.OpenOptions;
import java.lang.reflect.Modifier;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The life of a driver from its constructor to its end; with what this builds on, all that is true
 * of any driver, whether it comes and goes while the application runs or is a part of it.
 */
public abstract class DriverLifeContract extends DriverOpeningContract {
  private static final int PATIENCE_SECONDS = 20;

  @Test
  @DisplayName("is a public class whose public constructor does nothing and that can be closed")
  void construction() throws Exception {
    Class<?> type = driver();
    assertTrue(Modifier.isPublic(type.getModifiers()), "not public");
    assertFalse(Modifier.isAbstract(type.getModifiers()), "abstract");
    DriverRig.make(type).close();
    Set<Thread> before = threads();
    Driver made = DriverRig.make(type);
    assertEquals(Set.of(), newThreads(before), "the constructor starts threads");
    made.close();
  }

  @Test
  @DisplayName("lives from initialize to close, and can be closed after any step")
  void life() throws Exception {
    DriverRig rig = rig();
    for (int steps = 1; steps <= 4; steps++) {
      Driver driver = DriverRig.make(driver());
      driver.initialize(rig);
      if (steps > 1) {
        driver.start();
        assertNotEquals(DeviceHealth.Status.FAILED, driver.health().status());
      }
      if (steps > 2) {
        driver.open(present(), OpenOptions.DEFAULT).close();
      }
      if (steps > 3) {
        driver.stop();
      }
      driver.close();
      assertEquals(0, rig.buffers().inUse(), "bytes of buffers not returned");
    }
  }

  @Test
  @DisplayName("leaves devices their own life when it is stopped, and when it is closed")
  void devicesOutliveIt() throws Exception {
    Driver driver = running();
    try (BlockDevice device = driver.open(present(), OpenOptions.DEFAULT)) {
      device.write(pattern(device.info(), 5), 0);
      driver.stop();
      assertTrue(device.isOnline());
      assertHolds(device, 5);
      device.write(pattern(device.info(), 6), 0);
      device.flush();
      assertHolds(device, 6);
      close(driver);
    }
  }

  @Test
  @DisplayName("does not mind a second one in the same process, nor its end")
  void twoOfThem() throws Exception {
    Driver one = running();
    Driver other = running();
    one.stop();
    close(one);
    try (BlockDevice device = other.open(present(), OpenOptions.DEFAULT)) {
      assertTrue(device.isOnline());
    }
  }

  final ClassLoader wholeLife(Class<?> type) throws Exception {
    Thread current = Thread.currentThread();
    ClassLoader context = current.getContextClassLoader();
    current.setContextClassLoader(type.getClassLoader());
    try {
      Driver driver = DriverRig.make(type);
      DriverRig rig = rig();
      driver.initialize(rig);
      driver.start();
      try (BlockDevice device = driver.open(present(), OpenOptions.DEFAULT)) {
        device.write(pattern(device.info(), 9), 0);
        device.flush();
        assertHolds(device, 9);
      }
      driver.stop();
      driver.close();
      assertEquals(0, rig.buffers().inUse(), "bytes of buffers not returned");
    } finally {
      current.setContextClassLoader(context);
    }
    return type.getClassLoader();
  }

  static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet();
  }

  /** Threads that were not there before, those of the JDK itself left out. */
  static Set<Thread> newThreads(Set<Thread> before) {
    Set<Thread> fresh = new HashSet<>(threads());
    fresh.removeAll(before);
    fresh.removeIf(
        thread -> {
          ThreadGroup group = thread.getThreadGroup();
          return !thread.isAlive() || group == null || group.getParent() == null || jdks(group);
        });
    return fresh;
  }

  private static boolean jdks(ThreadGroup group) {
    return group.getName().equals("InnocuousThreadGroup")
        || group.getName().equals("CarrierThreads");
  }

  interface Condition {
    boolean holds();
  }

  static boolean eventually(Condition condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.holds()) {
      if (System.nanoTime() - end > 0) {
        return false;
      }
      Thread.sleep(20);
    }
    return true;
  }
}
