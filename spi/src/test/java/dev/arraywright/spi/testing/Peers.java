package dev.arraywright.spi.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which stock programs and rights a spec finds here. What is missing skips the spec by name; with
 * the system property {@code arraywright.peers.required} set to {@code true} it fails instead.
 */
public final class Peers {
  /** The right to act as the superuser. */
  public static final String ROOT = "root";

  /** Loop devices that really work: containers often have losetup and no device behind it. */
  public static final String LOOP = "loop";

  /** Below a module's {@code target}: a line a skip, with instant, spec and reason between tabs. */
  static final String RECORD = "skipped-peers.tsv";

  private static final List<String> SYSTEM_DIRECTORIES =
      List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

  private Peers() {}

  /**
   * Null if everything is here, else the reason in plain words. Needs are names of executables,
   * {@link #ROOT} and {@link #LOOP}. Each reason given is recorded for the summary of the build.
   *
   * @throws AssertionError if something is missing and peers are required
   */
  public static String missing(String... needs) {
    List<String> reasons = new ArrayList<>();
    for (String need : needs) {
      absence(need).ifPresent(reasons::add);
    }
    if (reasons.isEmpty()) {
      return null;
    }
    String reason = String.join(", ", reasons);
    record(Instant.now() + "\t" + caller() + "\t" + reason);
    if (Boolean.getBoolean("arraywright.peers.required")) {
      throw new AssertionError(reason + ", and arraywright.peers.required is true");
    }
    return reason;
  }

  /** The executable's path, looked up on PATH and in the system directories. */
  public static Optional<Path> find(String executable) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), SYSTEM_DIRECTORIES.stream())
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, executable))
        .filter(candidate -> Files.isRegularFile(candidate) && Files.isExecutable(candidate))
        .findFirst();
  }

  private static Optional<String> absence(String need) {
    return switch (need) {
      case ROOT -> isRoot() ? Optional.empty() : Optional.of("this needs root");
      case LOOP -> loop();
      default ->
          find(need).isPresent() ? Optional.empty() : Optional.of(need + " is not installed");
    };
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static Optional<String> loop() {
    if (!isRoot()) {
      return Optional.of("loop devices need root");
    }
    if (find("losetup").isEmpty()) {
      return Optional.of("losetup is not installed");
    }
    Peer.Outcome outcome = Peer.run(Duration.ofSeconds(10), "losetup", "--find");
    return outcome.exitCode() == 0
        ? Optional.empty()
        : Optional.of("loop devices do not work here (" + outcome.stderr().strip() + ")");
  }

  /** The spec that asks, as far as the stack shows it. */
  private static String caller() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames
                    .map(StackWalker.StackFrame::getClassName)
                    .map(name -> name.replaceFirst("\\$.*", ""))
                    .filter(name -> name.endsWith("Spec") || name.endsWith("Test"))
                    .findFirst())
        .orElse("a spec");
  }

  private static synchronized void record(String line) {
    try {
      Path target = Files.createDirectories(Path.of("target"));
      Files.writeString(
          target.resolve(RECORD),
          line + System.lineSeparator(),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
