package dev.arraywright.spi.testing;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.DeviceIoException;
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException;
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException;
import dev.arraywright.spi.device.DeviceType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A strict device on the heap whose calls can be made to fail or to hang; otherwise it keeps every
 * rule of {@link BlockDevice}. What it discards reads as 0xdd, so that nobody relies on zeroes.
 */
public final class FakeDevice implements BlockDevice {
  private final DeviceInfo info;
  private final byte[] content;
  private final AtomicInteger busy = new AtomicInteger();
  private volatile Fault fault = (operation, offset, length) -> {};
  private volatile boolean closed;

  /** What a call does. */
  public enum Operation {
    READ,
    WRITE,
    FLUSH,
    DISCARD,
    WRITE_ZEROES
  }

  /** Runs at the start of every call, on the caller's thread: throws to fail it, blocks to hang. */
  public interface Fault {
    void strike(Operation operation, long offset, long length) throws DeviceIoException;
  }

  /** Holds calls up until it is opened. */
  public static final class Gate implements Fault {
    private final Semaphore arrivals = new Semaphore(0);
    private final CountDownLatch opened = new CountDownLatch(1);

    @Override
    public void strike(Operation operation, long offset, long length) {
      arrivals.release();
      boolean interrupted = false;
      while (true) {
        try {
          opened.await();
          break;
        } catch (InterruptedException e) {
          interrupted = true; // a hanging device does not care
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    /** Waits until that many calls more are held up. */
    public void awaitArrivals(int count) throws InterruptedException {
      if (!arrivals.tryAcquire(count, 20, TimeUnit.SECONDS)) {
        throw new AssertionError("no " + count + " calls arrived within 20 s");
      }
    }

    /** Lets all calls pass, now and later. */
    public void open() {
      opened.countDown();
    }
  }

  public FakeDevice(String id, int size, int blockSize, boolean readOnly) {
    this(id, new byte[size], blockSize, readOnly);
  }

  private FakeDevice(String id, byte[] content, int blockSize, boolean readOnly) {
    info =
        new DeviceInfo(
            id,
            "",
            "",
            DeviceType.MEMORY,
            -1,
            content.length,
            blockSize,
            blockSize,
            readOnly,
            false);
    this.content = content;
  }

  public FakeDevice(String id, int size) {
    this(id, size, 512, false);
  }

  /** Another opening of the same content, sound and for reading only. */
  public FakeDevice reopenedReadOnly() {
    return new FakeDevice(info.id(), content, info.logicalBlockSize(), true);
  }

  /** Another opening of the same content, sound. */
  public FakeDevice reopened() {
    return new FakeDevice(info.id(), content, info.logicalBlockSize(), info.readOnly());
  }

  /** From now on calls meet this fault; it replaces the one before. */
  public void faulty(Fault next) {
    fault = next;
  }

  /** From now on calls work. */
  public void sound() {
    fault = (operation, offset, length) -> {};
  }

  /** Fails the calls of one kind from now on. */
  public void failing(Operation failing, DeviceIoException failure) {
    fault =
        (operation, offset, length) -> {
          if (operation == failing) {
            throw failure;
          }
        };
  }

  /** Holds up every call from now on. */
  public Gate hanging() {
    Gate gate = new Gate();
    fault = gate;
    return gate;
  }

  /** A copy of the whole content. */
  public byte[] content() {
    synchronized (content) {
      return content.clone();
    }
  }

  public boolean isClosed() {
    return closed;
  }

  /** Calls on the device now, hanging ones included. */
  public int busy() {
    return busy.get();
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public void read(ByteBuffer target, long offset) throws DeviceIoException {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("the target of a read is a read-only buffer");
    }
    int length = target.remaining();
    perform(
        Operation.READ,
        offset,
        length,
        () -> target.put(target.position(), content, (int) offset, length));
    target.position(target.limit());
  }

  @Override
  public void write(ByteBuffer source, long offset) throws DeviceIoException {
    int length = source.remaining();
    perform(
        Operation.WRITE,
        offset,
        length,
        () -> source.get(source.position(), content, (int) offset, length));
    source.position(source.limit());
  }

  @Override
  public void flush() throws DeviceIoException {
    perform(Operation.FLUSH, 0, 0, () -> {});
  }

  @Override
  public void discard(long offset, long length) throws DeviceIoException {
    perform(Operation.DISCARD, offset, length, () -> fill(offset, length, 0xdd));
  }

  @Override
  public void writeZeroes(long offset, long length) throws DeviceIoException {
    perform(Operation.WRITE_ZEROES, offset, length, () -> fill(offset, length, 0));
  }

  @Override
  public boolean isOnline() {
    return !closed;
  }

  @Override
  public void close() {
    closed = true;
  }

  private void perform(Operation operation, long offset, long length, Runnable effect)
      throws DeviceIoException {
    info.checkRange(offset, length);
    busy.incrementAndGet();
    try {
      if (closed) {
        throw new DeviceGoneException(info.id(), "closed", null);
      }
      if (info.readOnly() && operation != Operation.READ && operation != Operation.FLUSH) {
        throw new WriteProtectedException(info.id());
      }
      fault.strike(operation, offset, length);
      synchronized (content) {
        effect.run();
      }
    } finally {
      busy.decrementAndGet();
    }
  }

  private void fill(long offset, long length, int value) {
    Arrays.fill(content, (int) offset, (int) (offset + length), (byte) value);
  }
}
