package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SuperblockTest {
  /**
   * Device 2 of a dirty RAID-6 of four whose device 1 is faulty, half rebuilt, with a bitmap and an
   * empty bad-block log; with a bitmap at its place, mdadm 4.2 calls its checksum correct. Each
   * line of 16 bytes stands at its number times 16.
   */
  private static final String GOLDEN =
      """
      fc4e2ba9 01000000 03000000 00000000
      00112233 44556677 8899aabb ccddeeff
      6e6f6465 2d373a76 61756c74 00000000
      00000000 00000000 00000000 00000000
      00f15365 0040e201 06000000 02000000
      00200300 00000000 80000000 04000000
      08000000 00000000 00000000 00000000
      00000000 00000000 00000000 00000000
      00080000 00000000 00300300 00000000
      08000000 00000000 00900100 00000000
      02000000 07000000 f0e1d2c3 b4a59687
      78695a4b 3c2d1e0f 02090800 48000000
      10f15365 003f420f 2a000000 01000000
      00000100 00000000 %s 06000000
      00000000 00000000 00000000 00000000
      00000000 00000000 00000000 00000000
      0000feff 02000300 ffffffff
      """;

  private static final String GOLDEN_CHECKSUM = "25ba18e1";

  @Test
  void theGoldenBytesReadAsTheirFieldsSay() throws SuperblockException {
    Superblock sb = Superblock.parse(golden());
    assertEquals(3, sb.featureMap());
    assertEquals(UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"), sb.setUuid());
    assertEquals("00112233:44556677:8899aabb:ccddeeff", Superblock.mdText(sb.setUuid()));
    assertEquals("node-7:vault", sb.name());
    assertEquals(Instant.parse("2023-11-14T22:13:20.123456Z"), sb.created());
    assertEquals(Instant.parse("2023-11-14T22:13:36.999999Z"), sb.updated());
    assertEquals(List.of(6, 2, 4), List.of(sb.level(), sb.layout(), sb.raidDisks()));
    assertEquals(65_536, sb.chunkSize());
    assertEquals(0x32000L * 512, sb.size());
    assertEquals(0x800L * 512, sb.dataOffset());
    assertEquals(0x33000L * 512, sb.dataSize());
    assertEquals(0x19000L * 512, sb.recoveryOffset());
    assertEquals(2, sb.devNumber());
    assertEquals(7, sb.correctedReads());
    assertEquals(UUID.fromString("f0e1d2c3-b4a5-9687-7869-5a4b3c2d1e0f"), sb.deviceUuid());
    assertEquals(2, sb.devFlags());
    assertTrue(sb.hasBitmap());
    assertEquals(4096, sb.bitmapOffset());
    assertEquals(4096, sb.badBlockLogSize());
    assertEquals(0x48 * 512, sb.badBlockLogOffset());
    assertEquals(0x1_0000_002aL, sb.events());
    assertEquals(0x10000L * 512, sb.resyncOffset());
    assertFalse(sb.clean());
    assertEquals(6, sb.maxDev());
    assertEquals(
        List.of(0, Superblock.FAULTY, 2, 3),
        List.of(sb.role(0), sb.role(1), sb.role(2), sb.role(3)));
    assertEquals(Superblock.SPARE, sb.role(4));
    assertEquals(Superblock.SPARE, sb.role(1_000_000));
    assertEquals(2, sb.role());
  }

  @Test
  void theGoldenBytesComeBackAsTheyWere() throws SuperblockException {
    ByteBuffer golden = golden();
    ByteBuffer encoded = Superblock.parse(golden).encode(512);
    assertEquals(512, encoded.remaining());
    assertEquals(golden, encoded.slice(0, golden.remaining()));
    assertEquals(
        ByteBuffer.allocate(512 - golden.remaining()), encoded.position(golden.remaining()));
  }

  @Test
  void parsingLeavesTheBufferAloneAndStartsAtItsPosition() throws SuperblockException {
    ByteBuffer golden = golden();
    ByteBuffer direct = ByteBuffer.allocateDirect(5000).put(77, golden, 0, golden.remaining());
    direct.position(77);
    assertEquals(Superblock.parse(golden), Superblock.parse(direct));
    assertEquals(77, direct.position());
    assertEquals(0, golden.position());
  }

  @Test
  void whatIsEncodedParsesBackAndFillsWholeBlocks() throws SuperblockException {
    Random random = new Random(1);
    for (int round = 0; round < 300; round++) {
      for (Superblock sb : Superblocks.members(random)) {
        for (int block : new int[] {512, 4096}) {
          ByteBuffer bytes = sb.encode(block);
          assertEquals(block, bytes.remaining());
          assertEquals(sb, Superblock.parse(bytes));
        }
      }
    }
  }

  @Test
  void eachChangeChangesItsFieldAndNothingElse() throws SuperblockException {
    Superblock sb = Superblock.parse(golden());
    Superblock changed =
        sb.withEvents(sb.events() + 1)
            .withUpdated(Instant.ofEpochSecond(2_000_000_000L, 1_999))
            .withResyncOffset(Superblock.IN_SYNC)
            .withRecoveryOffset(Superblock.IN_SYNC)
            .withCorrectedReads(9)
            .withRole(0, Superblock.FAULTY)
            .withRole(1, Superblock.SPARE)
            .withRole(5, 1);
    assertEquals(changed, Superblock.parse(changed.encode(4096)));
    assertEquals(sb.events() + 1, changed.events());
    assertEquals(Instant.ofEpochSecond(2_000_000_000L, 1_000), changed.updated());
    assertTrue(changed.clean());
    assertEquals(Superblock.IN_SYNC, changed.recoveryOffset());
    assertEquals(1, changed.featureMap());
    assertEquals(9, changed.correctedReads());
    assertEquals(Superblock.FAULTY, changed.role(0));
    assertEquals(Superblock.SPARE, changed.role(1));
    assertEquals(1, changed.role(5));
    Superblock back =
        changed
            .withEvents(sb.events())
            .withUpdated(sb.updated())
            .withResyncOffset(sb.resyncOffset())
            .withRecoveryOffset(sb.recoveryOffset())
            .withCorrectedReads(sb.correctedReads())
            .withRole(0, 0)
            .withRole(1, Superblock.FAULTY)
            .withRole(5, Superblock.SPARE);
    assertEquals(sb, back);
  }

  @Test
  void anotherDeviceKeepsTheArrayAndTakesItsOwnIdentity() throws SuperblockException {
    Superblock sb = Superblock.parse(golden());
    UUID uuid = new UUID(1, 2);
    Superblock other = sb.withDevice(5, uuid);
    assertEquals(5, other.devNumber());
    assertEquals(uuid, other.deviceUuid());
    assertEquals(Superblock.SPARE, other.role());
    assertEquals(0, other.correctedReads());
    assertEquals(sb, other.withDevice(2, sb.deviceUuid()).withCorrectedReads(7));
  }

  @Test
  void bitmapReplacementAndRecoveryByBitmapAreFeaturesThatComeAndGo() throws SuperblockException {
    Superblock sb = Superblock.parse(golden());
    assertFalse(sb.isReplacement() || sb.recoveryByBitmap());
    Superblock all = sb.withReplacement(true).withRecoveryByBitmap(true).withBitmap(-4096);
    assertEquals(all, Superblock.parse(all.encode(512)));
    assertEquals(1 + 2 + 16 + 128, all.featureMap());
    assertTrue(all.isReplacement() && all.recoveryByBitmap());
    assertEquals(-4096, all.bitmapOffset());
    assertEquals(sb, all.withReplacement(false).withRecoveryByBitmap(false).withBitmap(4096));
    assertEquals(2, sb.withoutBitmap().featureMap());
    Superblock whole = all.withRecoveryOffset(Superblock.IN_SYNC);
    assertEquals(1 + 16, whole.featureMap());
    assertThrows(IllegalStateException.class, () -> whole.withRecoveryByBitmap(true));
    for (long place : new long[] {-8192, -100, 0, 100, 0x800 * 512 - 4096, 1L << 50}) {
      assertThrows(IllegalArgumentException.class, () -> sb.withBitmap(place));
    }
  }

  @Test
  void misuseIsRefused() throws SuperblockException {
    Superblock sb = Superblock.parse(golden());
    assertThrows(IllegalArgumentException.class, () -> sb.withRole(6, 0));
    assertThrows(IllegalArgumentException.class, () -> sb.withRole(-1, 0));
    assertThrows(IllegalArgumentException.class, () -> sb.withRole(0, 4));
    assertThrows(IllegalArgumentException.class, () -> sb.withDevice(6, sb.deviceUuid()));
    assertThrows(IllegalArgumentException.class, () -> sb.withResyncOffset(511));
    assertThrows(IllegalArgumentException.class, () -> sb.withRecoveryOffset(-512));
  }

  private static ByteBuffer golden() {
    String digits = GOLDEN.formatted(GOLDEN_CHECKSUM).replaceAll("\\s", "");
    return ByteBuffer.wrap(HexFormat.of().parseHex(digits));
  }
}
