package dev.arraywright.spi.testing;

import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverContext;
import dev.arraywright.spi.driver.DriverSetting;
import dev.arraywright.spi.driver.StorageDriver;
import dev.arraywright.spi.memory.BufferAllocator;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What stands in for the kernel while a driver is tested: makes drivers and gives them a context.
 */
final class DriverRig implements DriverContext {
  private final Map<String, String> settings;
  private final Buffers buffers = new Buffers(64 << 20);

  private DriverRig(Map<String, String> settings) {
    this.settings = Map.copyOf(settings);
  }

  /** The settings an author gives, and for others what the driver declares as their default. */
  static DriverRig of(StorageDriver announced, Map<String, String> given) {
    Map<String, String> settings = new HashMap<>();
    for (DriverSetting setting : announced.settings()) {
      if (!setting.defaultValue().isEmpty()) {
        settings.put(setting.name(), setting.defaultValue());
      }
    }
    settings.putAll(given);
    return new DriverRig(settings);
  }

  /** The same with one setting changed; null: without it. */
  DriverRig with(String name, String value) {
    Map<String, String> changed = new HashMap<>(settings);
    if (value == null) {
      changed.remove(name);
    } else {
      changed.put(name, value);
    }
    return new DriverRig(changed);
  }

  /** A new driver as its constructor makes it. */
  static Driver make(Class<?> type) throws Exception {
    try {
      return (Driver) type.getConstructor().newInstance();
    } catch (NoSuchMethodException e) {
      throw new AssertionError(type.getName() + " has no public constructor without parameters", e);
    } catch (InvocationTargetException e) {
      throw new AssertionError("the constructor of " + type.getName() + " throws", e.getCause());
    }
  }

  @Override
  public Map<String, String> settings() {
    return settings;
  }

  @Override
  public BufferAllocator buffers() {
    return buffers;
  }

  @Override
  public System.Logger logger() {
    return System.getLogger("driver under test");
  }

  /** Page-aligned and counted; what is returned is never handed out again, so later use shows. */
  private static final class Buffers implements BufferAllocator {
    private static final int PAGE = 4096;
    private final int limit;
    private final Semaphore left;

    Buffers(int limit) {
      this.limit = limit;
      left = new Semaphore(limit);
    }

    @Override
    public Lease acquire(int size) throws InterruptedException {
      check(size);
      left.acquire(size);
      return lease(size);
    }

    @Override
    public Lease tryAcquire(int size) {
      check(size);
      return left.tryAcquire(size) ? lease(size) : null;
    }

    @Override
    public long limit() {
      return limit;
    }

    @Override
    public long inUse() {
      return limit - left.availablePermits();
    }

    private void check(int size) {
      if (size <= 0 || size > limit) {
        throw new IllegalArgumentException("a buffer of " + size + " bytes, of " + limit);
      }
    }

    private Lease lease(int size) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(size + PAGE).alignedSlice(PAGE).limit(size);
      AtomicBoolean returned = new AtomicBoolean();
      return new Lease() {
        @Override
        public ByteBuffer buffer() {
          if (returned.get()) {
            throw new IllegalStateException("a buffer used after it was returned");
          }
          return buffer;
        }

        @Override
        public void close() {
          if (returned.compareAndSet(false, true)) {
            left.release(size);
          }
        }
      };
    }
  }
}
