package dev.arraywright.spi.driver;

import java.util.Objects;

/**
 * A driver could not do what was asked, in words for an operator: what happened and why in the
 * message, and what to do about it in {@link #remedy()}.
 */
public class DriverException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Reason reason;
  private final String remedy;

  public DriverException(Reason reason, String message, String remedy, Throwable cause) {
    super(message, cause);
    this.reason = Objects.requireNonNull(reason, "reason");
    this.remedy = Objects.requireNonNull(remedy, "remedy");
  }

  public DriverException(Reason reason, String message, String remedy) {
    this(reason, message, remedy, null);
  }

  /** What kind of trouble, for code to act on. */
  public Reason reason() {
    return reason;
  }

  /** What the operator can do, or empty where nothing comes to mind. */
  public String remedy() {
    return remedy;
  }

  /** Kinds of trouble. */
  public enum Reason {
    /** Nothing is at the address. */
    NOT_FOUND,
    /** Another array or process holds it. */
    IN_USE,
    /** The operating system refuses access. */
    NO_PERMISSION,
    /** It can only be read, and writing was asked for. */
    READ_ONLY,
    /** The address is of a kind that this driver does not serve, or what is there is no device. */
    UNSUPPORTED,
    /** The address, an option or a setting makes no sense. */
    INVALID,
    /** There is no answer. */
    UNREACHABLE,
    /** Anything else; see the message and the cause. */
    FAILED
  }
}
