package dev.arraywright.samples.embedded;

import dev.arraywright.kernel.config.Configuration;
import dev.arraywright.kernel.embed.ArrayRequest;
import dev.arraywright.kernel.embed.Arraywright;
import dev.arraywright.raid.layout.RaidLevel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** The same from Java: a RAID-6 in memory, written, degraded, read. */
public final class JavaApp {
  private JavaApp() {}

  public static void main(String[] args) throws Exception {
    var configuration =
        Configuration.builder().policy(policy -> policy.rebuildPriority(80)).build();
    try (Arraywright arraywright = Arraywright.start()) {
      arraywright.apply(configuration).toCompletableFuture().get(10, TimeUnit.SECONDS);
      var request =
          ArrayRequest.named("scratch")
              .level(RaidLevel.RAID6)
              .members("memory:16MiB#j0", "memory:16MiB#j1", "memory:16MiB#j2", "memory:16MiB#j3")
              .chunk(64 * 1024)
              .assumeClean();
      var array = arraywright.createArray(request).toCompletableFuture().get(10, TimeUnit.SECONDS);
      array.statuses().subscribe(new Watcher());

      byte[] text = "kept by any two of four members".getBytes(StandardCharsets.UTF_8);
      ByteBuffer read = ByteBuffer.allocate(text.length);
      array
          .write(ByteBuffer.wrap(text), 4711)
          .thenCompose(ignored -> array.flush())
          .thenCompose(ignored -> array.fail("0"))
          .thenCompose(ignored -> array.fail("2"))
          .thenCompose(ignored -> array.read(read, 4711))
          .toCompletableFuture()
          .get(10, TimeUnit.SECONDS);
      System.out.println("read degraded: " + new String(read.array(), StandardCharsets.UTF_8));
    }
  }
}
