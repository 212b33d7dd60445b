package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.device.BlockDevice;
import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverException.Reason;
import dev.arraywright.spi.driver.OpenOptions;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What {@link DriverContract} is to other drivers, for one that is a part of the application: never
 * loaded, replaced or unloaded, so there is no other version of it to take a device over.
 */
public abstract class ResidentDriverContract extends DriverLifeContract {
  @Test
  @DisplayName("hands no device over, since no other version of it can be there")
  void keepsItsDevices() throws Exception {
    Driver driver = running();
    OpenOptions takingOver = OpenOptions.DEFAULT.takingOver();
    try (BlockDevice device = driver.open(present(), OpenOptions.DEFAULT)) {
      device.write(pattern(device.info(), 4), 0);
      if (claims()) {
        DriverException e =
            assertThrows(DriverException.class, () -> driver.open(present(), takingOver).close());
        assertOperatorsWords(e);
        assertEquals(Reason.IN_USE, e.reason());
      } else {
        driver.open(present(), takingOver).close();
      }
      assertTrue(device.isOnline());
      assertHolds(device, 4);
    }
    driver.open(present(), takingOver).close();
  }

  @Test
  @DisplayName("leaves no thread behind")
  void nothingLeft() throws Exception {
    wholeLife(driver()); // what libraries start once for the process is there from now on
    Set<Thread> before = threads();
    wholeLife(driver());
    assertTrue(eventually(() -> newThreads(before).isEmpty()), "run on: " + newThreads(before));
  }
}
