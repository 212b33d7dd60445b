package dev.arraywright.spi.memory;

import java.util.Objects;

/**
 * How short of memory the machine or the process's share of it is.
 *
 * @param level how urgent
 * @param bytesToRelease how much giving back would end the shortfall; 0 when there is none
 * @param source what noticed: {@code psi}, {@code cgroup}, {@code balloon}, {@code available}
 */
public record MemoryPressure(Level level, long bytesToRelease, String source) {
  /** No shortfall. */
  public static final MemoryPressure NONE = new MemoryPressure(Level.NONE, 0, "");

  public MemoryPressure {
    Objects.requireNonNull(level, "level");
    Objects.requireNonNull(source, "source");
    if (bytesToRelease < 0) {
      throw new IllegalArgumentException("bytesToRelease is negative: " + bytesToRelease);
    }
  }

  /** From none to worst. */
  public enum Level {
    NONE,
    LOW,
    MEDIUM,
    CRITICAL
  }
}
