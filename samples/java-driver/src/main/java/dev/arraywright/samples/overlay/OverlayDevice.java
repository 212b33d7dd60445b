package dev.arraywright.samples.overlay;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceHealth;
import dev.arraywright.spi.device.DeviceInfo;
import dev.arraywright.spi.device.DeviceIoException;
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException;
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException;
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException;
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException;
import dev.arraywright.spi.device.DeviceType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An open overlay. A block is in the delta or, while nothing was written to it, in the image.
 *
 * <p><b>Crashes.</b> A block's bytes reach the disk before its bit in the map does: a flush writes
 * the data, waits for the disk, then writes the map and waits again. So a bit that is found set
 * never stands for a block that is not there; bits lost are writes that nobody flushed.
 */
final class OverlayDevice implements BlockDevice {
  private static final int LOGICAL_BLOCK = 512;

  private final DeviceInfo info;
  private final DeltaHeader header;
  private final DeltaMap map;
  private final OverlayFiles files;
  private final Claim claim;
  private final Object flushing = new Object();
  private volatile boolean closed;

  /** Why nothing can be relied on any more, or null. */
  private volatile String broken;

  OverlayDevice(
      String id,
      boolean readOnly,
      DeltaHeader header,
      DeltaMap map,
      OverlayFiles files,
      Claim claim) {
    this.header = header;
    this.map = map;
    this.files = files;
    this.claim = claim;
    info =
        new DeviceInfo(
            id,
            "",
            "",
            DeviceType.VIRTUAL,
            -1,
            header.size(),
            LOGICAL_BLOCK,
            header.blockSize(),
            readOnly,
            false);
  }

  /** Blocks that differ from the image, or may. */
  long changed() {
    return map.count();
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
    begin(offset, target.remaining());
    ByteBuffer rest = target.duplicate();
    inBlocks(
        offset,
        target.remaining(),
        (lane, block, within, length) -> {
          byte[] bytes = new byte[length];
          fetch(lane, block, within, bytes, length);
          rest.put(bytes);
        });
    target.position(target.limit());
  }

  @Override
  public void write(ByteBuffer source, long offset) throws DeviceIoException {
    begin(offset, source.remaining());
    beginChange(offset, source.remaining());
    ByteBuffer rest = source.duplicate();
    inBlocks(
        offset,
        source.remaining(),
        (lane, block, within, length) -> {
          byte[] bytes;
          int from = within;
          if (map.has(block) || length == header.length(block)) {
            bytes = new byte[length];
            rest.get(bytes);
          } else {
            bytes = new byte[header.length(block)];
            fetch(lane, block, 0, bytes, bytes.length);
            rest.get(bytes, within, length);
            from = 0;
          }
          lane.delta().seek(place(block) + from);
          lane.delta().write(bytes);
          map.add(block);
        });
    source.position(source.limit());
  }

  @Override
  public void flush() throws DeviceIoException {
    begin(0, 0);
    if (info.readOnly()) {
      return;
    }
    beginChange(0, 0);
    synchronized (flushing) {
      requireOpen();
      try {
        List<DeltaMap.Page> changed = map.takeChanged();
        RandomAccessFile file = files.meta();
        file.getFD().sync();
        for (DeltaMap.Page page : changed) {
          file.seek(DeltaHeader.MAP + (long) page.number() * DeltaMap.PAGE);
          file.write(page.bytes());
        }
        if (!changed.isEmpty()) {
          file.getFD().sync();
        }
      } catch (IOException e) {
        // The next sync would succeed, and what this one lost stays lost.
        broken = "a flush failed: " + e.getMessage();
        throw new DeviceGoneException(info.id(), broken, e);
      }
    }
  }

  /** Blocks that lie in the range whole read as the image again. */
  @Override
  public void discard(long offset, long length) throws DeviceIoException {
    begin(offset, length);
    beginChange(offset, length);
    inBlocks(
        offset,
        length,
        (lane, block, within, part) -> {
          if (part == header.length(block)) {
            map.remove(block);
          }
        });
  }

  @Override
  public DeviceHealth health() {
    String why = broken;
    return why == null ? DeviceHealth.GOOD : new DeviceHealth(DeviceHealth.Status.FAILED, why);
  }

  @Override
  public boolean isOnline() {
    return !closed && broken == null;
  }

  @Override
  public void close() {
    synchronized (flushing) {
      if (!closed) {
        closed = true;
        files.close();
        claim.close();
      }
    }
  }

  private void begin(long offset, long length) throws DeviceIoException {
    info.checkRange(offset, length);
    requireOpen();
  }

  private void beginChange(long offset, long length) throws DeviceIoException {
    if (info.readOnly()) {
      throw new WriteProtectedException(info.id());
    }
    try {
      if (!claim.stillHeld()) {
        broken = "another process has taken the delta";
      }
    } catch (IOException e) {
      throw failure(offset, length, e);
    }
    requireOpen();
  }

  private void requireOpen() throws DeviceGoneException {
    String why = closed ? "closed" : broken;
    if (why != null) {
      throw new DeviceGoneException(info.id(), why, null);
    }
  }

  private interface Transfer {
    void run(OverlayFiles.Lane lane, long block, int within, int length) throws IOException;
  }

  /** Block by block, each with its lane to itself. */
  private void inBlocks(long offset, long length, Transfer transfer) throws DeviceIoException {
    long end = offset + length;
    for (long at = offset; at < end; ) {
      long block = at / header.blockSize();
      int within = (int) (at % header.blockSize());
      int part = (int) Math.min(header.blockSize() - within, end - at);
      OverlayFiles.Lane lane = files.lane(block);
      synchronized (lane) {
        requireOpen();
        try {
          transfer.run(lane, block, within, part);
        } catch (IOException e) {
          throw failure(at, part, e);
        }
      }
      at += part;
    }
  }

  private void fetch(OverlayFiles.Lane lane, long block, int within, byte[] bytes, int length)
      throws IOException {
    boolean changed = map.has(block);
    RandomAccessFile file = changed ? lane.delta() : lane.base();
    file.seek((changed ? place(block) : block * header.blockSize()) + within);
    file.readFully(bytes, 0, length);
  }

  private long place(long block) {
    return header.data() + block * header.blockSize();
  }

  private DeviceIoException failure(long offset, long length, IOException e) {
    if (closed) {
      return new DeviceGoneException(info.id(), "closed", e);
    }
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left")
        ? new OutOfSpaceException(info.id(), e)
        : new MediumErrorException(info.id(), offset, length, e);
  }
}
