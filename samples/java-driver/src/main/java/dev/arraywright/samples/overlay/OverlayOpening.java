package dev.arraywright.samples.overlay;

import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.OpenOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The steps from an address to an open overlay, each of which may find a reason against it. */
final class OverlayOpening {
  private static final int SECTOR = 512;

  private final OverlayAddress address;
  private final OpenOptions options;
  private final int blockSize;
  private final boolean checkBase;

  OverlayOpening(OverlayAddress address, OpenOptions options, int blockSize, boolean checkBase) {
    this.address = address;
    this.options = options;
    this.blockSize = blockSize;
    this.checkBase = checkBase;
  }

  OverlayDevice open() throws DriverException {
    requireBase();
    requireDelta();
    Claim claim = null;
    OverlayFiles files = null;
    OverlayDevice device = null;
    try {
      claim = Claim.inProcess(address.delta(), options.readOnly(), options.takeOver());
      if (claim == null) {
        throw inUse("this process has it open");
      }
      files = new OverlayFiles(address, options.readOnly());
      if (!claim.lock(files.meta())) {
        throw inUse("another process has it open");
      }
      DeltaHeader header = header(files.meta());
      DeltaMap map = DeltaMap.read(files.meta(), header);
      device = new OverlayDevice(address.toString(), options.readOnly(), header, map, files, claim);
      return device;
    } catch (DamagedDeltaException e) {
      throw new DriverException(
          Reason.INVALID,
          address.delta() + " is no delta that can be used: " + e.getMessage(),
          "name another file, or remove this one, which drops all that was written",
          e);
    } catch (IOException e) {
      throw new DriverException(
          Reason.FAILED,
          address + " could not be opened: " + e.getMessage(),
          "check the file system of both files",
          e);
    } finally {
      if (device == null) {
        if (files != null) {
          files.close();
        }
        if (claim != null) {
          claim.close();
        }
      }
    }
  }

  private void requireBase() throws DriverException {
    Path base = address.base();
    if (!Files.exists(base)) {
      throw new DriverException(Reason.NOT_FOUND, "there is no image " + base, "check the path");
    }
    requireFile(base);
    long size = base.toFile().length();
    if (size == 0 || size % SECTOR != 0) {
      throw new DriverException(
          Reason.INVALID,
          "%s has %d bytes, which is no multiple of %d above 0".formatted(base, size, SECTOR),
          "round it on a copy: truncate -s %" + SECTOR);
    }
  }

  private void requireDelta() throws DriverException {
    Path delta = address.delta();
    if (!Files.exists(delta)) {
      if (options.readOnly()) {
        throw new DriverException(
            Reason.NOT_FOUND, "there is no delta " + delta, "open it for writing once, or check");
      }
      create(delta);
    }
    requireFile(delta);
    if (!options.readOnly() && !Files.isWritable(delta)) {
      throw new DriverException(
          Reason.READ_ONLY, delta + " can only be read", "open it read-only, or allow writing");
    }
  }

  private static void create(Path delta) throws DriverException {
    try {
      Files.createFile(delta);
    } catch (FileAlreadyExistsException e) {
      return; // another opener was faster; the claim decides between the two
    } catch (IOException e) {
      throw new DriverException(
          Reason.NO_PERMISSION,
          "the delta " + delta + " cannot be created",
          "name one in a directory that exists and can be written",
          e);
    }
  }

  private static void requireFile(Path path) throws DriverException {
    if (!Files.isRegularFile(path)) {
      throw new DriverException(
          Reason.UNSUPPORTED, path + " is no regular file", "name a regular file");
    }
    if (!Files.isReadable(path)) {
      throw new DriverException(
          Reason.NO_PERMISSION, "no permission to read " + path, "run as a user who may");
    }
  }

  private DeltaHeader header(RandomAccessFile file) throws IOException, DriverException {
    long size = address.base().toFile().length();
    long modified = Files.getLastModifiedTime(address.base()).toMillis();
    DeltaHeader header = DeltaHeader.read(file);
    if (header == null) {
      header = new DeltaHeader(blockSize, size, modified);
      if (!options.readOnly()) {
        header.write(file);
      }
      return header;
    }
    if (header.size() != size || (checkBase && header.baseModified() != modified)) {
      throw new DriverException(
          Reason.INVALID,
          address.base() + " was changed since " + address.delta() + " was made over it",
          "bring the image back, or name another delta; check-base=false trusts a time that differs");
    }
    return header;
  }

  private DriverException inUse(String who) {
    return new DriverException(
        Reason.IN_USE,
        address.delta() + " is in use: " + who,
        "stop what uses it, or name another delta");
  }
}
