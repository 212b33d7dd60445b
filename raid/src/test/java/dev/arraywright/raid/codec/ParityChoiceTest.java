package dev.arraywright.raid.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.spi.testing.Peer;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which kernel a JVM ends up with, seen from outside, in JVMs started with and without vectors. */
class ParityChoiceTest {
  @Test
  void withoutTheVectorModuleParityIsScalarAndWorks() throws URISyntaxException {
    assertEquals("scalar 3", choice());
  }

  @Test
  void withTheVectorModuleParityIsVectored() throws URISyntaxException {
    String choice = choice("--add-modules=jdk.incubator.vector");
    assertTrue(choice.matches("vector-\\d+ 3"), choice);
  }

  private static String choice(String... options) throws URISyntaxException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(options));
    command.add("-cp");
    command.add(place(Parity.class) + File.pathSeparator + place(Report.class));
    command.add(Report.class.getName());
    return Peer.run(Duration.ofMinutes(1), command.toArray(String[]::new))
        .orFail()
        .stdout()
        .strip();
  }

  private static Path place(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  /** Prints the choice, and a sum to show that it computes. */
  static final class Report {
    private Report() {}

    public static void main(String[] args) {
      ByteBuffer one = ByteBuffer.allocateDirect(200).put(199, (byte) 1);
      ByteBuffer two = ByteBuffer.allocateDirect(200).put(199, (byte) 2);
      Parity.best().warmUp();
      Parity.best().xorInto(one, two);
      System.out.println(Parity.best().name() + " " + one.get(199));
    }
  }
}
