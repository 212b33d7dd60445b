package dev.arraywright.spi.device;

/** A text is no storage address; says where and why. */
public final class AddressSyntaxException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String input;
  private final int position;
  private final String reason;

  public AddressSyntaxException(String input, int position, String reason) {
    super("not a storage address: '%s': %s at position %d".formatted(input, reason, position));
    this.input = input;
    this.position = position;
    this.reason = reason;
  }

  /** What was to be parsed. */
  public String input() {
    return input;
  }

  /** Index of the first character that is wrong; the input's length where something is missing. */
  public int position() {
    return position;
  }

  /** What is wrong with it. */
  public String reason() {
    return reason;
  }
}
