package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.raid.metadata.NewArray.Member;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Superblocks that mdadm 4.2 made and Linux 6.12 wrote, in {@code md/LEVEL-STATE-DRIVE.sb}: arrays
 * of four 64 MiB drives, stopped; one of them with drive 1 failed, then added again and rebuilding,
 * then whole and with a bitmap.
 */
class LinuxSuperblockTest {
  private static final long MIB = 1 << 20;

  @Test
  void allOfThemParseAndComeBackByteForByte() throws Exception {
    List<Path> files = files();
    assertTrue(files.size() >= 15, files::toString);
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      Superblock sb = Superblock.parse(ByteBuffer.wrap(bytes));
      String level = file.getFileName().toString().replaceFirst("-.*", "");
      assertEquals(ByteBuffer.wrap(bytes), sb.encode(512), file::toString);
      assertEquals("lab:" + level, sb.name());
      assertEquals("raid" + sb.level(), level);
      assertEquals(4, sb.raidDisks());
      assertEquals(MIB, sb.dataOffset());
      assertEquals(63 * MIB, sb.dataSize());
      assertEquals(sb.level() == 0 ? 0 : 63 * MIB, sb.size());
      assertEquals(4096, sb.badBlockLogSize());
      assertTrue(sb.clean());
    }
  }

  /**
   * The bad-block log aside, which is not made here, and events, where the kernel has counted on.
   */
  @Test
  void anArrayMadeHereHasTheBytesOfOneMadeByMdadm() throws Exception {
    for (int level : List.of(0, 1, 5, 6, 10)) {
      for (int drive : List.of(0, 3)) {
        Superblock linux = read("raid%d-stopped-%d".formatted(level, drive));
        NewArray array =
            new NewArray(level, 65536, 4, linux.setUuid(), linux.name(), linux.created(), true, 0);
        Member member = new Member(64 * MIB, linux.deviceUuid());
        Superblock own = array.superblocks(Collections.nCopies(4, member)).get(drive);
        own = own.withEvents(linux.events()).withUpdated(linux.updated());
        Superblock bare =
            Superblock.parse(
                Superblocks.changed(
                    linux,
                    true,
                    b -> b.putShort(BAD_BLOCK_SIZE_AT, (short) 0).putInt(BAD_BLOCK_OFFSET_AT, 0)));
        assertEquals(bare.encode(512), own.encode(512), linux::toString);
      }
    }
  }

  @Test
  void theStoryOfAFailedAndReplacedDriveReads() throws Exception {
    Superblock other = read("raid6-failed-0");
    Superblock failed = read("raid6-failed-1");
    assertTrue(other.events() > failed.events());
    assertEquals(1, failed.role());
    assertEquals(Superblock.SPARE, other.role(1));

    Superblock rebuilding = read("raid6-rebuilding-1");
    assertEquals(List.of(4, 1), List.of(rebuilding.devNumber(), rebuilding.role()));
    assertEquals(16_144 * 512, rebuilding.recoveryOffset());

    Superblock whole = read("raid6-bitmap-1");
    assertEquals(Superblock.IN_SYNC, whole.recoveryOffset());
    assertEquals(List.of(4, 1), List.of(whole.devNumber(), whole.role()));
    assertTrue(whole.hasBitmap());
    assertEquals(4096, whole.bitmapOffset());
    assertEquals(read("raid6-bitmap-0").events(), whole.events());
  }

  private static Superblock read(String name) throws Exception {
    return Superblock.parse(ByteBuffer.wrap(Files.readAllBytes(directory().resolve(name + ".sb"))));
  }

  private static List<Path> files() throws IOException, URISyntaxException {
    try (Stream<Path> files = Files.list(directory())) {
      return files.filter(file -> file.toString().endsWith(".sb")).sorted().toList();
    }
  }

  private static Path directory() throws URISyntaxException {
    return Path.of(LinuxSuperblockTest.class.getResource("/md").toURI());
  }
}
