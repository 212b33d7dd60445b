package dev.arraywright.samples.overlay;

import java.io.IOException;

/** A file is no delta, or one whose bytes are not those that were written. */
final class DamagedDeltaException extends IOException {
  private static final long serialVersionUID = 1L;

  DamagedDeltaException(String message) {
    super(message);
  }
}
