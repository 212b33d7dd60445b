package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.driver.Driver;
import dev.arraywright.spi.driver.DriverException;
import dev.arraywright.spi.driver.DriverSetting;
import dev.arraywright.spi.driver.OpenOptions;
import dev.arraywright.spi.driver.StorageDriver;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How a driver announces itself, and what it makes of its settings. */
public abstract class DriverSettingsContract extends DriverSubject {
  private static final String NAME = "[a-z0-9][a-z0-9._-]*";
  private static final String VERSION =
      "(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?";

  @Test
  @DisplayName("announces itself with a name, a version and what it serves")
  void announcement() {
    StorageDriver announced = announced();
    assertTrue(announced.name().matches(NAME), "name '" + announced.name() + "'");
    assertTrue(announced.version().matches(VERSION), "version '" + announced.version() + "'");
    assertTrue(announced.minimumPlatform().matches(VERSION), announced.minimumPlatform());
    assertOneLine(announced.description());
    assertNotEquals(0, announced.supportedDevices().length, "it serves nothing");
    Set<String> served = Set.copyOf(List.of(announced.supportedDevices()));
    assertEquals(announced.supportedDevices().length, served.size(), "it serves one thing twice");
    for (String one : served) {
      assertTrue(one.matches("[a-z][a-z0-9+.-]*(:.+)?"), "supportedDevices: '" + one + "'");
    }
    Set<String> names = new HashSet<>();
    for (DriverSetting setting : announced.settings()) {
      assertTrue(setting.name().matches("[A-Za-z0-9._-]+"), "setting '" + setting.name() + "'");
      assertTrue(names.add(setting.name()), "two settings '" + setting.name() + "'");
      assertOneLine(setting.description());
      assertFalse(setting.required() && !setting.defaultValue().isEmpty(), setting.name());
      List<String> choices = List.of(setting.choices());
      assertTrue(
          choices.isEmpty()
              || setting.defaultValue().isEmpty()
              || choices.contains(setting.defaultValue()),
          "the default value of '" + setting.name() + "' is none of its choices");
    }
  }

  @Test
  @DisplayName("takes odd settings, or refuses them in an operator's words and can be closed")
  void oddSettings() throws Exception {
    for (DriverSetting setting : announced().settings()) {
      for (String value : List.of("", "-1", "0", "0s", "-5s", "1", "3KiB", "8EiB", "nonsense")) {
        initializes(rig().with(setting.name(), value), false);
      }
      initializes(rig().with(setting.name(), null), setting.required());
    }
    initializes(rig().with("no.such.setting", "1"), false);
  }

  @Test
  @DisplayName("goes on when settings are changed while it runs, whatever they are")
  void reconfigured() throws Exception {
    Driver driver = running();
    driver.reconfigure(rig().settings());
    for (DriverSetting setting : announced().settings()) {
      try {
        driver.reconfigure(rig().with(setting.name(), "nonsense").settings());
      } catch (DriverException e) {
        assertOperatorsWords(e);
      }
    }
    driver.reconfigure(rig().settings());
    driver.open(present(), OpenOptions.DEFAULT).close();
  }

  private void initializes(DriverRig rig, boolean mustRefuse) throws Exception {
    Driver driver = DriverRig.make(driver());
    try {
      driver.initialize(rig);
      assertFalse(mustRefuse, "it takes " + rig.settings() + ", where a required one is missing");
    } catch (DriverException e) {
      assertOperatorsWords(e);
    } finally {
      assertDoesNotThrow(driver::close);
    }
  }
}
