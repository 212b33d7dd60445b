package dev.arraywright.spi.device;

import java.io.IOException;
import java.time.Duration;

/**
 * A device did not do what was asked. The subtype is the kind of failure, and the array acts on it:
 *
 * <pre>
 * kind                    reads                                writes
 * MediumErrorException    answered from redundancy, rewritten  member failed
 * ChecksumException       answered from redundancy, rewritten  member failed
 * DeviceGoneException     member failed                        member failed
 * TimedOutException       answered from redundancy, suspect    member failed
 * WriteProtectedException -                                    member failed
 * OutOfSpaceException     -                                    member failed
 * </pre>
 */
public abstract sealed class DeviceIoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String deviceId;

  private DeviceIoException(String deviceId, String message, Throwable cause) {
    super(deviceId + ": " + message, cause);
    this.deviceId = deviceId;
  }

  /** {@link DeviceInfo#id()} of the device that failed. */
  public final String deviceId() {
    return deviceId;
  }

  /** The medium lost or cannot take the bytes of a range; the rest of the device works. */
  public static final class MediumErrorException extends DeviceIoException {
    private static final long serialVersionUID = 1L;
    private final long offset;
    private final long length;

    /**
     * @param offset first byte that could not be transferred, as exactly as the device tells
     * @param length bytes of the bad range
     */
    public MediumErrorException(String deviceId, long offset, long length, Throwable cause) {
      super(deviceId, "medium error, %d bytes at %d".formatted(length, offset), cause);
      this.offset = offset;
      this.length = length;
    }

    /** First bad byte. */
    public long offset() {
      return offset;
    }

    /** Length of the bad range in bytes. */
    public long length() {
      return length;
    }
  }

  /** The device was removed, closed or lost its connection; it will not answer again. */
  public static final class DeviceGoneException extends DeviceIoException {
    private static final long serialVersionUID = 1L;

    public DeviceGoneException(String deviceId, String why, Throwable cause) {
      super(deviceId, "device gone: " + why, cause);
    }
  }

  /** No answer within the deadline; a write may yet reach the medium, or have reached it. */
  public static final class TimedOutException extends DeviceIoException {
    private static final long serialVersionUID = 1L;

    public TimedOutException(String deviceId, Duration deadline) {
      this(deviceId, deadline, null);
    }

    public TimedOutException(String deviceId, Duration deadline, Throwable cause) {
      super(deviceId, "no answer within %d ms".formatted(deadline.toMillis()), cause);
    }
  }

  /** The device takes no writes. */
  public static final class WriteProtectedException extends DeviceIoException {
    private static final long serialVersionUID = 1L;

    public WriteProtectedException(String deviceId) {
      this(deviceId, null);
    }

    public WriteProtectedException(String deviceId, Throwable cause) {
      super(deviceId, "write protected", cause);
    }

    /** With the reason, where there is more to say than that it is. */
    public WriteProtectedException(String deviceId, String why, Throwable cause) {
      super(deviceId, "write protected: " + why, cause);
    }
  }

  /** What backs the device is full, as the file system under a sparse file can be. */
  public static final class OutOfSpaceException extends DeviceIoException {
    private static final long serialVersionUID = 1L;

    public OutOfSpaceException(String deviceId, Throwable cause) {
      super(deviceId, "no space left under the device", cause);
    }
  }

  /** The bytes arrived, but are not those that were written. */
  public static final class ChecksumException extends DeviceIoException {
    private static final long serialVersionUID = 1L;
    private final long offset;
    private final long length;

    public ChecksumException(String deviceId, long offset, long length) {
      this(deviceId, offset, length, null);
    }

    public ChecksumException(String deviceId, long offset, long length, Throwable cause) {
      super(deviceId, "checksum mismatch, %d bytes at %d".formatted(length, offset), cause);
      this.offset = offset;
      this.length = length;
    }

    /** First byte of the range that failed its checksum. */
    public long offset() {
      return offset;
    }

    /** Length of that range in bytes. */
    public long length() {
      return length;
    }
  }
}
