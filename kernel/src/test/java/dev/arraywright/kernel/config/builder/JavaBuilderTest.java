package dev.arraywright.kernel.config.builder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.kernel.KernelError;
import dev.arraywright.kernel.config.Configuration;
import dev.arraywright.raid.layout.RaidLevel;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JavaBuilderTest {
  private static final String TEXT =
      """
      { "$schema": "./arraywright.schema.json",
        "arrays": [ { "name": "vault", "members": ["file:/a", "file:/b"], "level": "raid1",
          "chunk": "64KiB", "spares": ["file:/c"], "domains": { "file:/a": "rack-1" },
          "export": { "name": "v", "description": "d", "readOnly": true } },
          { "name": "scratch", "members": ["file:/d"], "export": { "name": "scratch" } } ],
        "nbd": { "port": 0, "socket": "/run/a.sock" }, "http": { "port": 0 },
        "policy": { "rebuildPriority": 7, "rebuildFloor": 4096, "rebuildCeiling": "200MiB",
          "scrubInterval": "30d", "latency": { "ratio": 4, "floor": "50ms" } },
        "spares": [ "file:/s", { "address": "file:/t", "domain": "rack-1" } ],
        "memberDeadline": "10s", "health": { "wearWarning": 80, "lifeWarning": "90d" },
        "memory": { "reserve": "512MiB", "readCache": 0 }, "watch": false,
        "drivers": { "overlay": { "settings": { "block-size": "64KiB", "depth": 7 } } },
        "driverDirectory": "/d", "sharedPackages": ["org.slf4j.**"], "maxLoadedDrivers": 9 }
      """;

  private static ConfigurationBuilder builder() {
    return Configuration.builder()
        .schema("./arraywright.schema.json")
        .array(
            "vault",
            array ->
                array
                    .members("file:/a", "file:/b")
                    .level(RaidLevel.RAID1)
                    .chunk("64KiB")
                    .spares("file:/c")
                    .domain("file:/a", "rack-1")
                    .export("v", export -> export.description("d").readOnly(true)))
        .array("scratch", array -> array.members("file:/d").export("scratch"))
        .nbd(nbd -> nbd.port(0).socket("/run/a.sock"))
        .http(http -> http.port(0))
        .policy(
            policy ->
                policy
                    .rebuildPriority(7)
                    .rebuildFloor(4096)
                    .rebuildCeiling("200MiB")
                    .scrubInterval(Duration.ofDays(30))
                    .latency(latency -> latency.ratio(4).floor(Duration.ofMillis(50))))
        .spare("file:/s")
        .spare("file:/t", "rack-1")
        .memberDeadline(Duration.ofSeconds(10))
        .health(health -> health.wearWarning(80).lifeWarning(Duration.ofDays(90)))
        .memory(memory -> memory.reserve("512MiB").readCache(0))
        .watch(false)
        .driver(
            "overlay", driver -> driver.settings(Map.of("block-size", "64KiB")).setting("depth", 7))
        .driverDirectory("/d")
        .sharedPackages("org.slf4j.**")
        .maxLoadedDrivers(9);
  }

  @Test
  void saysWhatTheFileSays() throws KernelError.BadConfiguration {
    assertEquals(Configuration.Companion.parse(TEXT, "test"), builder().build());
  }

  @Test
  void changesWhatIsThere() throws KernelError.BadConfiguration {
    var changed =
        builder().build().toBuilder()
            .array("vault", array -> array.chunk(128 * 1024).level("raid6"))
            .policy(policy -> policy.scrubInterval(null).rebuildCeiling(null))
            .memberDeadline(null)
            .maxLoadedDrivers(null)
            .build();
    assertEquals(128 * 1024, changed.getArrays().getFirst().getChunk());
    assertEquals("raid6", changed.getArrays().getFirst().getLevel());
    assertEquals(2, changed.getArrays().getFirst().getMembers().size());
    assertNull(changed.getPolicy().getRebuildCeiling());
    assertNull(changed.getMaxLoadedDrivers());
    assertEquals(7, changed.getPolicy().getRebuildPriority());
  }

  @Test
  void refusesWhatMakesNoSense() {
    var builder = Configuration.builder().nbd(nbd -> nbd.port(70_000));
    var error = assertThrows(KernelError.BadConfiguration.class, builder::build);
    assertEquals("nbd: the port 70000 is not within 0 to 65535", error.getWhy());
  }

  @Test
  void hasTheSchemaAtHand() {
    assertTrue(Configuration.schema().contains("https://json-schema.org/draft/2020-12/schema"));
  }
}
