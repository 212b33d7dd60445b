package dev.arraywright.spi.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@DisabledOnOs(OS.WINDOWS)
class PeersTest {
  @Test
  void aProgramThatIsHereIsNotMissing() {
    assertNull(Peers.missing("sh", "cat"));
  }

  @Test
  void aCommandShowsItsExitCodeAndBothOutputs() {
    Peer.Outcome outcome =
        Peer.run(Duration.ofSeconds(10), "sh", "-c", "echo out; echo err >&2; exit 3");
    assertEquals(3, outcome.exitCode());
    assertEquals("out\n", outcome.stdout());
    assertEquals("err\n", outcome.stderr());
    assertThrows(AssertionError.class, outcome::orFail);
  }

  @Test
  void aCommandThatHangsIsKilledWithItsChildren() {
    AssertionError error =
        assertThrows(
            AssertionError.class,
            () -> Peer.run(Duration.ofMillis(200), "sh", "-c", "echo begun; sleep 600 & wait"));
    assertTrue(error.getMessage().contains("did not end within"), error.getMessage());
    assertTrue(error.getMessage().contains("begun"), error.getMessage());
  }

  @Test
  void aMissingProgramFailsTheBuildWherePeersAreRequired() {
    String property = "arraywright.peers.required";
    String before = System.getProperty(property);
    System.setProperty(property, "true");
    try {
      AssertionError error =
          assertThrows(AssertionError.class, () -> Peers.missing("sh", "no-such-program"));
      assertTrue(
          error.getMessage().startsWith("no-such-program is not installed"), error.getMessage());
    } finally {
      System.setProperty(property, before == null ? "false" : before);
    }
  }
}
