package dev.arraywright.raid.metadata;

/** A member's bytes are no superblock that may be acted on; the message is for the operator. */
public final class SuperblockException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What is wrong, for callers that decide by it. */
  public enum Reason {
    /** No md magic: a blank member, or one that belongs to something else. */
    NONE,
    /** The magic is there, but the checksum over the rest is not right. */
    BAD_CHECKSUM,
    /** Uses something of md that is not understood here; acting on the rest could destroy data. */
    UNSUPPORTED_FEATURE,
    /** Another superblock version, or one made for another place than 1.2's. */
    UNSUPPORTED_VERSION,
    /** Checksum or not, the fields contradict each other or are beyond any limit. */
    CORRUPT
  }

  private final Reason reason;

  SuperblockException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
