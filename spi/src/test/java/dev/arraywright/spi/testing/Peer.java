package dev.arraywright.spi.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A stock program run by a spec, with a bound on its time. */
public final class Peer {
  private Peer() {}

  /**
   * Runs a command to its end; it gets no standard input. Past the timeout it and its descendants
   * are killed.
   *
   * @throws AssertionError if it does not end in time or cannot be started
   */
  public static Outcome run(Duration timeout, String... command) {
    List<String> words = new ArrayList<>(List.of(command));
    Peers.find(command[0]).ifPresent(path -> words.set(0, path.toString()));
    Process process;
    try {
      process =
          new ProcessBuilder(words).redirectInput(ProcessBuilder.Redirect.from(nothing())).start();
    } catch (IOException e) {
      throw new AssertionError(
          "cannot start " + String.join(" ", words) + ": " + e.getMessage(), e);
    }
    CompletableFuture<String> stdout = drain(process.getInputStream());
    CompletableFuture<String> stderr = drain(process.getErrorStream());
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        kill(process);
        throw new AssertionError(
            "%s did not end within %s\nstdout: %s\nstderr: %s"
                .formatted(String.join(" ", words), timeout, settle(stdout), settle(stderr)));
      }
    } catch (InterruptedException e) {
      kill(process);
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + String.join(" ", words), e);
    }
    return new Outcome(List.copyOf(words), process.exitValue(), settle(stdout), settle(stderr));
  }

  /**
   * Whether somebody takes connections at a Unix socket: its file is there some time before that.
   */
  public static boolean listens(Path socket) {
    try {
      SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** What came of a command. */
  public record Outcome(List<String> command, int exitCode, String stdout, String stderr) {
    /**
     * This, if the command succeeded.
     *
     * @throws AssertionError with both outputs otherwise
     */
    public Outcome orFail() {
      if (exitCode != 0) {
        throw new AssertionError(
            "%s ended with %d\nstdout: %s\nstderr: %s"
                .formatted(String.join(" ", command), exitCode, stdout, stderr));
      }
      return this;
    }
  }

  private static java.io.File nothing() {
    return new java.io.File(
        System.getProperty("os.name").startsWith("Windows") ? "NUL" : "/dev/null");
  }

  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private static CompletableFuture<String> drain(InputStream stream) {
    CompletableFuture<String> text = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (stream) {
                text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
              } catch (IOException | UncheckedIOException e) {
                text.completeExceptionally(e);
              }
            });
    return text;
  }

  /** The output; a grandchild that keeps the pipe open costs two seconds, not the build. */
  private static String settle(CompletableFuture<String> text) {
    return text.completeOnTimeout("(still being written to by a descendant)", 2, TimeUnit.SECONDS)
        .exceptionally(e -> "(unreadable: " + e.getMessage() + ")")
        .join();
  }
}
