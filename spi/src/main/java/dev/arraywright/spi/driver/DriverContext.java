package dev.arraywright.spi.driver;

import dev.arraywright.spi.memory.BufferAllocator;
import java.util.Map;

/** What the kernel gives a driver; valid from {@code initialize} to the end of {@code close}. */
public interface DriverContext {
  /** The driver's own settings from the configuration, never null. */
  Map<String, String> settings();

  /** Aligned buffers from the kernel's bounded pool. */
  BufferAllocator buffers();

  /** A logger that carries the driver's name. */
  System.Logger logger();
}
