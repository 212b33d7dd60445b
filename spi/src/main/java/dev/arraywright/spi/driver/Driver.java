package dev.arraywright.spi.driver;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.device.DeviceHealth;
import dev.arraywright.spi.device.StorageAddress;
import java.util.Map;

/**
 * Opens devices of one kind. Its life, each call made once and in this order, one at a time:
 *
 * <pre>
 * constructor -> initialize -> start -> open … open -> stop -> close
 * </pre>
 *
 * {@code open} may be called from any thread, any number at once, between {@code start} and {@code
 * stop}. {@code close} is called even if an earlier step threw. Each call has a deadline; a driver
 * that misses it is failed, without harm to others.
 */
public interface Driver extends AutoCloseable {
  /**
   * Takes what the driver needs to work; starts nothing.
   *
   * @throws DriverException if the driver cannot work here; the message tells the operator why
   */
  void initialize(DriverContext context) throws DriverException;

  /** Starts what runs by itself, if anything. */
  default void start() throws DriverException {}

  /**
   * Opens the device at an address whose scheme is one of {@link StorageDriver#supportedDevices()},
   * claiming it against every other opener on this machine where the device can be claimed.
   *
   * @throws DriverException if it cannot be opened: what, why, and what to do
   */
  BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException;

  /**
   * How the driver itself is, apart from its devices; asked for at an interval while it runs, from
   * any thread. {@link DeviceHealth.Status#FAILED} has it restarted.
   */
  default DeviceHealth health() {
    return DeviceHealth.GOOD;
  }

  /**
   * Takes changed settings while it runs.
   *
   * @return false if it has to be restarted for that, which is then done
   * @throws DriverException if it cannot take them; it goes on as before
   */
  default boolean reconfigure(Map<String, String> settings) throws DriverException {
    return false;
  }

  /** Ends what {@link #start()} started. Devices still open keep their own life. */
  default void stop() throws DriverException {}

  /** Releases everything; nothing of the driver runs afterwards. */
  @Override
  void close();
}
