package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceHealth;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.StorageAddress;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.DriverSetting;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.driver.StorageDriver;
import java.lang.ref.WeakReference;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What {@link Driver} promises, as tests. A driver's test extends this class and gives three
 * things: the driver's class, the address of a device that is there, and one where none is.
 *
 * <p>Together with {@link BlockDeviceContract} for the devices it opens, this is what the kernel
 * relies on. The tests write to the device.
 */
public abstract class DriverContract {
  private static final String NAME = "[a-z0-9][a-z0-9._-]*";
  private static final String VERSION =
      "(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?";
  private static final int PATIENCE_SECONDS = 20;

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

  /** False for a driver that is part of the application: never loaded, upgraded or unloaded. */
  protected boolean loadedAtRunTime() {
    return true;
  }

  @AfterEach
  final void closeDrivers() {
    drivers.forEach(Driver::close);
  }

  @Test
  @DisplayName("announces itself with a name, a version and what it serves")
  void announcement() {
    StorageDriver announced = announced();
    assertTrue(announced.name().matches(NAME), "name '" + announced.name() + "'");
    assertTrue(announced.version().matches(VERSION), "version '" + announced.version() + "'");
    assertTrue(announced.minimumPlatform().matches(VERSION), announced.minimumPlatform());
    assertOneLine(announced.description());
    assertNotEquals(0, announced.supportedDevices().length, "it serves nothing");
    Set<String> served = Set.copyOf(List.of(announced.supportedDevices()));
    assertEquals(announced.supportedDevices().length, served.size(), "it serves one thing twice");
    for (String one : served) {
      assertTrue(one.matches("[a-z][a-z0-9+.-]*(:.+)?"), "supportedDevices: '" + one + "'");
    }
    Set<String> names = new HashSet<>();
    for (DriverSetting setting : announced.settings()) {
      assertTrue(setting.name().matches("[A-Za-z0-9._-]+"), "setting '" + setting.name() + "'");
      assertTrue(names.add(setting.name()), "two settings '" + setting.name() + "'");
      assertOneLine(setting.description());
      assertFalse(setting.required() && !setting.defaultValue().isEmpty(), setting.name());
      List<String> choices = List.of(setting.choices());
      assertTrue(
          choices.isEmpty()
              || setting.defaultValue().isEmpty()
              || choices.contains(setting.defaultValue()),
          "the default value of '" + setting.name() + "' is none of its choices");
    }
  }

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
  @DisplayName("takes odd settings, or refuses them in an operator's words and can be closed")
  void oddSettings() throws Exception {
    for (DriverSetting setting : announced().settings()) {
      for (String value : List.of("", "-1", "0", "0s", "-5s", "1", "3KiB", "8EiB", "nonsense")) {
        initializes(rig().with(setting.name(), value), false);
      }
      initializes(rig().with(setting.name(), null), setting.required());
    }
    initializes(rig().with("no.such.setting", "1"), false);
  }

  @Test
  @DisplayName("goes on when settings are changed while it runs, whatever they are")
  void reconfigured() throws Exception {
    Driver driver = running();
    driver.reconfigure(rig().settings());
    for (DriverSetting setting : announced().settings()) {
      try {
        driver.reconfigure(rig().with(setting.name(), "nonsense").settings());
      } catch (DriverException e) {
        assertOperatorsWords(e);
      }
    }
    driver.reconfigure(rig().settings());
    driver.open(present(), OpenOptions.DEFAULT).close();
  }

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
  @DisplayName("says that nothing is where nothing is, each time it is asked")
  void nothingThere() throws Exception {
    StorageAddress missing = missing();
    if (missing == null) {
      return;
    }
    Driver driver = running();
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
      driver.close();
      drivers.remove(driver);
    }
  }

  @Test
  @DisplayName("does not mind a second one in the same process, nor its end")
  void twoOfThem() throws Exception {
    Driver one = running();
    Driver other = running();
    one.stop();
    one.close();
    drivers.remove(one);
    try (BlockDevice device = other.open(present(), OpenOptions.DEFAULT)) {
      assertTrue(device.isOnline());
    }
  }

  @Test
  @DisplayName("takes a device over from another version of itself, which is then closed")
  void takeOver() throws Exception {
    if (!loadedAtRunTime()) {
      return;
    }
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
      old.close();
      drivers.remove(old);
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
  @DisplayName("leaves no thread and, where it was loaded by itself, no class behind")
  void nothingLeft() throws Exception {
    if (loadedAtRunTime()) {
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
      return;
    }
    wholeLife(driver()); // what libraries start once for the process is there from now on
    Set<Thread> before = threads();
    wholeLife(driver());
    assertTrue(eventually(() -> newThreads(before).isEmpty()), "run on: " + newThreads(before));
  }

  private ClassLoader wholeLife(Class<?> type) throws Exception {
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

  private StorageDriver announced() {
    StorageDriver announced = driver().getAnnotation(StorageDriver.class);
    assertNotNull(announced, driver().getName() + " has no @StorageDriver");
    return announced;
  }

  private DriverRig rig() throws Exception {
    return DriverRig.of(announced(), settings());
  }

  private Driver running() throws Exception {
    return running(driver());
  }

  private Driver running(Class<?> type) throws Exception {
    Driver driver = DriverRig.make(type);
    drivers.add(driver);
    driver.initialize(rig());
    driver.start();
    return driver;
  }

  private void initializes(DriverRig rig, boolean mustRefuse) throws Exception {
    Driver driver = DriverRig.make(driver());
    try {
      driver.initialize(rig);
      assertFalse(mustRefuse, "it takes " + rig.settings() + ", where a required one is missing");
    } catch (DriverException e) {
      assertOperatorsWords(e);
    } finally {
      assertDoesNotThrow(driver::close);
    }
  }

  private static DriverException refused(Driver driver, StorageAddress address) {
    DriverException e =
        assertThrows(
            DriverException.class,
            () -> driver.open(address, OpenOptions.DEFAULT).close(),
            address.toString());
    assertOperatorsWords(e);
    return e;
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

  private static void assertOperatorsWords(DriverException e) {
    assertNotNull(e.getMessage(), "a DriverException without a message");
    assertOneLine(e.getMessage());
    assertFalse(e.remedy().isBlank(), "no remedy for: " + e.getMessage());
    assertFalse(
        e.getMessage().matches("(java|kotlin|javax|sun)\\..*|.*\\bnull\\b.*"),
        "no words for an operator: " + e.getMessage());
  }

  private static void assertOneLine(String text) {
    assertFalse(text.isBlank(), "empty");
    assertTrue(text.lines().count() == 1, "more than a line: " + text);
  }

  private static ByteBuffer pattern(DeviceInfo info, int value) {
    byte[] bytes = new byte[Math.max(8192, info.logicalBlockSize())];
    Arrays.fill(bytes, (byte) value);
    return ByteBuffer.wrap(bytes);
  }

  private static void assertHolds(BlockDevice device, int value) throws Exception {
    ByteBuffer expected = pattern(device.info(), value);
    ByteBuffer seen = ByteBuffer.allocate(expected.capacity());
    device.read(seen, 0);
    assertArrayEquals(expected.array(), seen.array());
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet();
  }

  /** Threads that were not there before, those of the JDK itself left out. */
  private static Set<Thread> newThreads(Set<Thread> before) {
    Set<Thread> fresh = new HashSet<>(threads());
    fresh.removeAll(before);
    fresh.removeIf(
        thread -> {
          ThreadGroup group = thread.getThreadGroup();
          return !thread.isAlive() || group == null || group.getParent() == null || jdks(group);
        });
    return fresh;
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

  private static boolean jdks(ThreadGroup group) {
    return group.getName().equals("InnocuousThreadGroup")
        || group.getName().equals("CarrierThreads");
  }

  private interface Condition {
    boolean holds();
  }

  private static boolean eventually(Condition condition) throws InterruptedException {
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
