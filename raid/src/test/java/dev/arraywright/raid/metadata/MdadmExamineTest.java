package dev.arraywright.raid.metadata;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.arraywright.spi.testing.Peer;
import dev.arraywright.spi.testing.Peers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What mdadm reads from members written here: every level, and every state a member can be in. */
class MdadmExamineTest {
  private static final Map<Integer, String> LAYOUTS =
      Map.of(5, "left-symmetric", 6, "left-symmetric", 10, "near=2");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("EEE MMM d HH:mm:ss yyyy", Locale.ROOT).withZone(ZoneOffset.UTC);

  @TempDir Path directory;

  @Test
  void mdadmReadsWhatWasWrittenForEveryLevelAndState() throws IOException {
    String absent = Peers.missing("mdadm", "env");
    assumeTrue(absent == null, absent);
    Random random = new Random(20_251_120);
    for (int level : List.of(0, 1, 5, 6, 10)) {
      for (int round = 0; round < 12; round++) {
        int disks = Superblocks.disks(random, level);
        List<Superblock> members = Superblocks.members(random, level, disks, level == 0 ? 0 : 1);
        Superblock sb = members.get(random.nextInt(members.size()));
        if (round % 3 > 0) {
          sb = live(random, sb);
        }
        assertEquals(expected(sb), examine(write(sb)), sb.toString());
      }
    }
  }

  @Test
  void mdadmReadsTheSameFromABlockDevice() throws IOException {
    String absent = Peers.missing("mdadm", "env", Peers.LOOP);
    assumeTrue(absent == null, absent);
    Random random = new Random(20_251_120);
    for (int level : List.of(0, 1, 5, 6, 10)) {
      Superblock sb = live(random, Superblocks.members(random, level, 4, 0).getLast());
      String member = write(sb).toString();
      String loop = run("losetup", "--find", "--show", member).strip();
      try {
        assertEquals(expected(sb), examine(Path.of(loop)), sb.toString());
      } finally {
        run("losetup", "--detach", loop);
      }
    }
  }

  /** A later state: events, times, a half-done resync, a rebuild, members lost. */
  private static Superblock live(Random random, Superblock fresh) {
    int lost = random.nextInt(fresh.raidDisks());
    Instant later = Superblocks.CREATED.plusSeconds(random.nextInt(100_000_000));
    Superblock sb = fresh.withEvents(random.nextLong(1L << 50)).withUpdated(later);
    sb = random.nextBoolean() ? sb : sb.withRole(lost, Superblock.FAULTY);
    sb = random.nextBoolean() ? sb : sb.withRecoveryOffset(512L * random.nextInt(2000));
    return random.nextBoolean() ? sb : sb.withResyncOffset(512L * random.nextInt(2000));
  }

  /** The lines of mdadm's report that say something of the superblock itself. */
  private static Map<String, String> expected(Superblock sb) {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("Magic", "a92b4efc");
    lines.put("Version", "1.2");
    lines.put("Feature Map", "0x" + Integer.toHexString(sb.featureMap()));
    lines.put("Array UUID", Superblock.mdText(sb.setUuid()));
    lines.put("Name", sb.name());
    lines.put("Creation Time", TIME.format(sb.created()));
    lines.put("Raid Level", "raid" + sb.level());
    lines.put("Raid Devices", String.valueOf(sb.raidDisks()));
    lines.put("Avail Dev Size", sb.dataSize() / 512 + " sectors");
    if (sb.level() != 0) {
      lines.put("Array Size", arraySize(sb) / 1024 + " KiB");
    }
    lines.put("Data Offset", sb.dataOffset() / 512 + " sectors");
    lines.put("Super Offset", "8 sectors");
    if (sb.recoveryOffset() != Superblock.IN_SYNC) {
      lines.put("Recovery Offset", sb.recoveryOffset() / 512 + " sectors");
    }
    lines.put("State", sb.clean() ? "clean" : "active");
    lines.put("Device UUID", Superblock.mdText(sb.deviceUuid()));
    lines.put("Update Time", TIME.format(sb.updated()));
    lines.put("Checksum", "correct");
    lines.put("Events", String.valueOf(sb.events()));
    if (LAYOUTS.containsKey(sb.level())) {
      lines.put("Layout", LAYOUTS.get(sb.level()));
    }
    if (sb.level() != 1) {
      lines.put("Chunk Size", sb.chunkSize() / 1024 + "K");
    }
    lines.put("Device Role", role(sb));
    lines.put("Array State", state(sb));
    return lines;
  }

  /** At level 10 mdadm does not round to chunks as the kernel does. */
  private static long arraySize(Superblock sb) {
    return switch (sb.level()) {
      case 1 -> sb.size();
      case 10 -> sb.size() * sb.raidDisks() / 2;
      case 5 -> sb.size() * (sb.raidDisks() - 1);
      default -> sb.size() * (sb.raidDisks() - 2);
    };
  }

  /** mdadm says "spare" of a member that is recorded as faulty, too. */
  private static String role(Superblock sb) {
    return sb.role() >= Superblock.FAULTY ? "spare" : "Active device " + sb.role();
  }

  private static String state(Superblock sb) {
    StringBuilder state = new StringBuilder(".".repeat(sb.raidDisks()));
    for (int number = 0; number < sb.maxDev(); number++) {
      if (sb.role(number) < sb.raidDisks()) {
        state.setCharAt(sb.role(number), 'A');
      }
    }
    return state.toString();
  }

  /** A sparse file that is the member, up to the end of its data. */
  private Path write(Superblock sb) throws IOException {
    Path member = directory.resolve("member");
    Files.deleteIfExists(member);
    try (FileChannel file = FileChannel.open(member, CREATE, WRITE)) {
      file.write(sb.encode(4096), SuperblockDescriptor.SUPERBLOCK_OFFSET);
      file.write(ByteBuffer.allocate(1), sb.dataOffset() + sb.dataSize() - 1);
    }
    return member;
  }

  private static Map<String, String> examine(Path member) {
    return parse(run("env", "TZ=UTC", "LC_ALL=C", "mdadm", "--examine", member.toString()));
  }

  private static String run(String... command) {
    return Peer.run(Duration.ofSeconds(30), command).orFail().stdout();
  }

  /** Name and value of each line; remarks in brackets and mdadm's own sums are left out. */
  private static Map<String, String> parse(String report) {
    Map<String, String> lines = new LinkedHashMap<>();
    for (String line : report.lines().filter(l -> l.contains(" : ")).toList()) {
      String name = line.substring(0, line.indexOf(" : ")).strip();
      String value = line.substring(line.indexOf(" : ") + 3).replaceAll(" \\(.*", "").strip();
      lines.put(name, value.replaceAll(" +", " "));
    }
    lines.computeIfPresent("Checksum", (name, value) -> value.replaceAll("^[0-9a-f]+ - ", ""));
    lines.keySet().removeAll(List.of("Unused Space", "Used Dev Size"));
    return lines;
  }
}
