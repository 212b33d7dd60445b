package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;
import static java.time.Instant.EPOCH;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.raid.metadata.SuperblockException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is refused, why, and that nothing else ever comes out of bad bytes. */
class SuperblockParserTest {
  private static final Superblock RAID6 = Superblocks.members(new Random(6), 6, 4, 1).getFirst();
  private static final Superblock RAID1 = Superblocks.members(new Random(1), 1, 2, 0).getFirst();

  @Test
  void bytesWithoutTheMagicAreNoSuperblock() {
    refused(Reason.NONE, "magic is missing", b -> b.putInt(MAGIC_AT, 0));
    assertReason(Reason.NONE, ByteBuffer.allocate(4096));
    assertReason(Reason.NONE, ByteBuffer.allocate(0));
    assertReason(Reason.NONE, RAID6.encode(4096).slice(0, HEADER_SIZE - 1));
  }

  @Test
  void aTornOrDamagedSuperblockIsRefusedByItsChecksum() {
    for (int bit = 0; bit < 8 * (HEADER_SIZE + ROLE_SIZE * RAID6.maxDev()); bit++) {
      int at = bit / 8;
      byte flip = (byte) (1 << bit % 8);
      ByteBuffer bytes =
          Superblocks.changed(RAID6, false, b -> b.put(at, (byte) (b.get(at) ^ flip)));
      assertThrows(SuperblockException.class, () -> Superblock.parse(bytes), "bit " + bit);
    }
    ByteBuffer torn = Superblocks.changed(RAID6, false, b -> b.putLong(EVENTS_AT, 99));
    assertReason(Reason.BAD_CHECKSUM, torn);
  }

  @Test
  void otherVersionsAreRefusedAsSuch() {
    refused(Reason.UNSUPPORTED_VERSION, "major version 0", b -> b.putInt(MAJOR_AT, 0));
    refused(Reason.UNSUPPORTED_VERSION, "sector 0,", b -> b.putLong(SUPER_OFFSET_AT, 0));
    refused(Reason.UNSUPPORTED_VERSION, "184467440737095516", b -> b.putLong(SUPER_OFFSET_AT, -8));
  }

  @Test
  void everyFeatureThatIsNotUnderstoodIsRefusedByItsName() {
    for (Feature feature : Feature.values()) {
      if (feature.refusal != null) {
        String text = "md feature " + feature + ": " + feature.refusal;
        refused(Reason.UNSUPPORTED_FEATURE, text, b -> b.putInt(FEATURES_AT, feature.bit));
      }
    }
    refused(Reason.UNSUPPORTED_FEATURE, "bit 0x2000:", b -> b.putInt(FEATURES_AT, 0x6000));
    refused(Reason.UNSUPPORTED_FEATURE, "bit 0x80000000:", b -> b.putInt(FEATURES_AT, 1 << 31));
    refused(Reason.UNSUPPORTED_FEATURE, "md level -1", b -> b.putInt(LEVEL_AT, -1));
    refused(Reason.UNSUPPORTED_FEATURE, "md level 4", b -> b.putInt(LEVEL_AT, 4));
  }

  @Test
  void fieldsBeyondAnyLimitAreRefusedThoughTheChecksumIsRight() {
    corrupt("room for 1921 devices", b -> b.putInt(MAX_DEV_AT, 1921));
    corrupt("room for 4294967295 devices", b -> b.putInt(MAX_DEV_AT, -1));
    corrupt("padding", b -> b.putInt(PAD0_AT, 1));
    corrupt("padding", b -> b.put(HEADER_SIZE - 1, (byte) 1));
    corrupt("0 raid devices", b -> b.putInt(RAID_DISKS_AT, 0));
    corrupt("4294967294 raid devices", b -> b.putInt(RAID_DISKS_AT, -2));
    corrupt("chunk size of 0 bytes", b -> b.putInt(CHUNK_AT, 0));
    corrupt("chunk size of 2048 bytes", b -> b.putInt(CHUNK_AT, 4));
    corrupt("chunk size of 12288 bytes", b -> b.putInt(CHUNK_AT, 24));
    corrupt("chunk size of 2199023255040 bytes", b -> b.putInt(CHUNK_AT, -1));
    corrupt("inside the superblock", b -> b.putLong(DATA_OFFSET_AT, 8));
    corrupt("at sector -1", b -> b.putLong(DATA_OFFSET_AT, -1));
    corrupt("data of 9223372036854775807", b -> b.putLong(DATA_SIZE_AT, Long.MAX_VALUE));
    corrupt("sectors used of", b -> b.putLong(SIZE_AT, RAID6.dataSize() / SECTOR + 1));
    corrupt("-1 sectors used of", b -> b.putLong(SIZE_AT, -1));
    corrupt("as number 4 of 4", b -> b.putShort(HEADER_SIZE, (short) 4));
    corrupt("bitmap at sector 2147483655", b -> b.putInt(FEATURES_AT, 1).putInt(96, 0x7fffffff));
    corrupt("bitmap at sector -1 ", b -> b.putInt(FEATURES_AT, 1).putInt(BITMAP_OFFSET_AT, -9));
    corrupt("bitmap at sector 8, inside", b -> b.putInt(FEATURES_AT, 1).putInt(96, 0));
    corrupt(
        "18446744073709551615 sectors rebuilt",
        b -> b.putInt(FEATURES_AT, 2).putLong(RECOVERY_OFFSET_AT, -1));
  }

  @Test
  void aBufferThatEndsBeforeTheRolesIsRefused() {
    ByteBuffer cut = RAID6.encode(512).slice(0, HEADER_SIZE + 2);
    assertReason(Reason.CORRUPT, cut);
  }

  @Test
  void whateverTheBytesTheyParseOrAreASuperblockException() {
    Random random = new Random(20_251_120);
    int sound = 0;
    for (int round = 0; round < 60_000; round++) {
      Superblock base = random.nextBoolean() ? RAID6 : RAID1;
      boolean sealed = random.nextInt(10) > 0;
      ByteBuffer bytes = Superblocks.changed(base, sealed, b -> mutate(random, b));
      sound += parsesOrRefuses(bytes, sealed) ? 1 : 0;
    }
    assertTrue(sound > 5_000, "mutations hardly ever parsed: " + sound);
  }

  @Test
  void randomBytesBehindTheMagicNeverDoHarm() {
    Random random = new Random(20_251_120);
    for (int round = 0; round < 20_000; round++) {
      byte[] noise = new byte[random.nextInt(600)];
      random.nextBytes(noise);
      ByteBuffer bytes = ByteBuffer.wrap(noise).order(ByteOrder.LITTLE_ENDIAN);
      if (noise.length > 8) {
        bytes.putInt(0, MAGIC).putInt(4, 1);
      }
      parsesOrRefuses(bytes, false);
    }
  }

  /**
   * Whether it parsed; then it has to give back its own bytes and survive a look at every field.
   */
  private static boolean parsesOrRefuses(ByteBuffer bytes, boolean sealed) {
    try {
      Superblock sb = Superblock.parse(bytes);
      int size = HEADER_SIZE + ROLE_SIZE * sb.maxDev();
      assertEquals(bytes.slice(0, size), sb.encode(1).slice(0, size));
      assertEquals(sb, Superblock.parse(sb.encode(4096)));
      assertTrue(sb.dataOffset() + sb.dataSize() >= sb.dataOffset(), sb::toString);
      assertTrue(sb.size() >= 0 && sb.size() <= sb.dataSize(), sb::toString);
      assertTrue(sb.role() < sb.raidDisks() || sb.role() >= Superblock.JOURNAL, sb::toString);
      assertTrue(sb.recoveryOffset() >= 0 && sb.resyncOffset() >= 0, sb::toString);
      assertTrue(sb.name().length() <= NAME_SIZE, sb::toString);
      assertTrue(!sb.created().isBefore(EPOCH) && !sb.updated().isBefore(EPOCH), sb::toString);
      return true;
    } catch (SuperblockException e) {
      assertTrue(!sealed || e.reason() != Reason.BAD_CHECKSUM, e.getMessage());
      return false;
    }
  }

  /** Up to four fields, aligned as fields are, become random, extreme or slightly different. */
  private static void mutate(Random random, ByteBuffer bytes) {
    for (int i = random.nextInt(4); i >= 0; i--) {
      int at = 8 + 4 * random.nextInt((HEADER_SIZE + 64) / 4 - 4);
      switch (random.nextInt(4)) {
        case 0 -> bytes.putInt(at, random.nextInt());
        case 1 -> bytes.putLong(at, random.nextBoolean() ? -1 : Long.MAX_VALUE);
        case 2 -> bytes.putInt(at, bytes.getInt(at) + random.nextInt(3) - 1);
        default -> bytes.put(at + random.nextInt(4), (byte) random.nextInt());
      }
    }
  }

  private static void corrupt(String text, Consumer<ByteBuffer> change) {
    refused(Reason.CORRUPT, text, change);
  }

  private static void refused(Reason reason, String text, Consumer<ByteBuffer> change) {
    SuperblockException e = assertReason(reason, Superblocks.changed(RAID6, true, change));
    assertTrue(e.getMessage().contains(text), e.getMessage());
  }

  private static SuperblockException assertReason(Reason reason, ByteBuffer bytes) {
    SuperblockException e = assertThrows(SuperblockException.class, () -> Superblock.parse(bytes));
    assertEquals(reason, e.reason(), e.getMessage());
    return e;
  }
}
