package dev.arraywright.raid.metadata;

/** A member's bytes are no bitmap that may be trusted; the message is for the operator. */
public final class BitmapException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What is wrong, for callers that decide by it. */
  public enum Reason {
    /** No bitmap magic where the superblock says that a bitmap is. */
    NONE,
    /** A kind of bitmap that is not understood here. */
    UNSUPPORTED,
    /** A field is beyond any limit, or contradicts another. */
    CORRUPT,
    /** It was made for another array, or for this one at another size. */
    FOREIGN,
    /** The array went on without it, so what was written since is not in it. */
    STALE
  }

  private final Reason reason;

  BitmapException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
