package dev.arraywright.raid.metadata;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.arraywright.spi.testing.Peer;
import dev.arraywright.spi.testing.Peers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What mdadm reads from bitmaps written here: alone in a file, and inside a member. */
class MdadmExamineBitmapTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;

  @Test
  void mdadmReadsHeaderAndDirtyBitsOfEveryLevel() throws IOException {
    String absent = Peers.missing("mdadm", "env");
    assumeTrue(absent == null, absent);
    Random random = new Random(20_251_120);
    for (int level : List.of(1, 5, 6, 10)) {
      for (int round = 0; round < 6; round++) {
        Superblock sb = BitmapHeaderTest.first(array(random, level), MIB * (50 + 50 * round));
        BitmapHeader header = header(random, sb);
        BitSet bits = bits(random, header);
        Path file = directory.resolve("bitmap");
        Files.deleteIfExists(file);
        try (FileChannel out = FileChannel.open(file, CREATE, WRITE)) {
          out.write(area(header, bits));
        }
        assertEquals(expected(header, bits), examine(file), header.toString());
      }
    }
  }

  @Test
  void mdadmFindsTheBitmapInsideAMember() throws IOException {
    String absent = Peers.missing("mdadm", "env", Peers.LOOP);
    assumeTrue(absent == null, absent);
    Random random = new Random(20_251_120);
    for (int level : List.of(1, 5, 6, 10)) {
      Superblock sb = BitmapHeaderTest.first(array(random, level), 100 * MIB);
      BitmapHeader header = header(random, sb);
      BitSet bits = bits(random, header);
      Path member = directory.resolve("member");
      Files.deleteIfExists(member);
      try (FileChannel file = FileChannel.open(member, CREATE, WRITE)) {
        long at = SuperblockDescriptor.SUPERBLOCK_OFFSET;
        file.write(sb.encode(4096), at);
        file.write(area(header, bits), at + sb.bitmapOffset());
        file.write(ByteBuffer.allocate(1), sb.dataOffset() + sb.dataSize() - 1);
      }
      String loop = run("losetup", "--find", "--show", member.toString()).strip();
      try {
        assertEquals(expected(header, bits), examine(Path.of(loop)), header.toString());
        String report = run("mdadm", "--examine", loop);
        assertTrue(report.contains("Internal Bitmap : 8 sectors from superblock"), report);
      } finally {
        run("losetup", "--detach", loop);
      }
    }
  }

  private static NewArray array(Random random, int level) {
    int chunk = 4096 << random.nextInt(14);
    int disks = Superblocks.disks(random, level);
    return new NewArray(
        level, 65536, disks, Superblocks.uuid(random), "b", Superblocks.CREATED, false, chunk);
  }

  private static BitmapHeader header(Random random, Superblock sb) {
    int chunk = 4096 << random.nextInt(4) + (sb.level() == 10 ? 2 : 0);
    return new BitmapHeader(
        sb.setUuid(),
        random.nextLong(1L << 40),
        random.nextLong(1L << 40),
        BitmapHeader.syncSize(sb),
        2 * random.nextInt(2),
        chunk,
        1 + random.nextInt(60),
        random.nextInt(2) * random.nextInt(16383),
        0);
  }

  private static BitSet bits(Random random, BitmapHeader header) {
    BitSet bits = new BitSet();
    for (int i = random.nextInt(header.chunks()); i > 0; i--) {
      bits.set(random.nextInt(header.chunks()));
    }
    bits.set(header.chunks() - 1, random.nextBoolean());
    return bits;
  }

  private static ByteBuffer area(BitmapHeader header, BitSet bits) {
    ByteBuffer area = ByteBuffer.allocate(header.areaSize(4096));
    header.encode(area);
    area.put(bits.toByteArray());
    return area.rewind();
  }

  private static Map<String, String> expected(BitmapHeader header, BitSet bits) {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("Magic", "6d746962");
    lines.put("Version", "4");
    lines.put("UUID", Superblock.mdText(header.setUuid()));
    lines.put("Events", String.valueOf(header.events()));
    lines.put("Events Cleared", String.valueOf(header.eventsCleared()));
    lines.put("State", header.stale() ? "Out of date" : "OK");
    int kib = header.chunk() / 1024;
    lines.put("Chunksize", kib < 1024 ? kib + " KB" : kib / 1024 + " MB");
    lines.put("Daemon", header.daemonSleep() + "s flush period");
    int behind = header.writeBehind();
    lines.put("Write Mode", behind == 0 ? "Normal" : "Allow write behind, max " + behind);
    lines.put("Sync Size", String.valueOf(header.syncSize() / 1024));
    lines.put(
        "Bitmap", "%d bits (chunks), %d dirty".formatted(header.chunks(), bits.cardinality()));
    return lines;
  }

  private static Map<String, String> examine(Path bitmap) {
    Map<String, String> lines = new LinkedHashMap<>();
    String report = run("env", "LC_ALL=C", "mdadm", "--examine-bitmap", bitmap.toString());
    for (String line : report.lines().filter(l -> l.contains(" : ")).toList()) {
      String name = line.substring(0, line.indexOf(" : ")).strip();
      String value = line.substring(line.indexOf(" : ") + 3).strip();
      lines.put(name, value.replaceAll(" \\([0-9].*", ""));
    }
    lines.remove("Filename");
    return lines;
  }

  private static String run(String... command) {
    return Peer.run(Duration.ofSeconds(30), command).orFail().stdout();
  }
}
