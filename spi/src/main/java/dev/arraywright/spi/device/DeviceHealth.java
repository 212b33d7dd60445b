package dev.arraywright.spi.device;

import java.util.Objects;

/**
 * A device's condition as last observed.
 *
 * @param status the verdict
 * @param detail what it rests on, for an operator to read; may be empty
 */
public record DeviceHealth(Status status, String detail) {
  /** Nothing is known against the device. */
  public static final DeviceHealth GOOD = new DeviceHealth(Status.GOOD, "");

  /** The device does not tell. */
  public static final DeviceHealth UNKNOWN = new DeviceHealth(Status.UNKNOWN, "");

  public DeviceHealth {
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(detail, "detail");
  }

  /** From best to worst, with {@link #UNKNOWN} apart. */
  public enum Status {
    UNKNOWN,
    GOOD,
    /** Works, but a threshold is passed or a failure is foreseen. */
    WARNING,
    /** Missed a deadline; may yet answer. */
    SUSPECT,
    /** Does not work. */
    FAILED
  }
}
