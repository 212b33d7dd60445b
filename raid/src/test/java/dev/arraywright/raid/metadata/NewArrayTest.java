package dev.arraywright.raid.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.raid.metadata.NewArray.Member;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class NewArrayTest {
  private static final long MIB = 1 << 20;
  private static final UUID ID = new UUID(7, 7);

  @Test
  void membersAgreeOnTheArrayAndDifferInThemselves() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      List<Superblock> members = Superblocks.members(random);
      Superblock first = members.getFirst();
      Set<UUID> identities = new HashSet<>();
      for (int i = 0; i < members.size(); i++) {
        Superblock sb = members.get(i);
        assertEquals(i, sb.devNumber());
        assertEquals(i < sb.raidDisks() ? i : Superblock.SPARE, sb.role());
        assertTrue(identities.add(sb.deviceUuid()));
        assertEquals(first, sb.withDevice(0, first.deviceUuid()));
      }
      assertEquals(first.created(), first.updated());
      assertEquals(Superblock.IN_SYNC, first.recoveryOffset());
      assertTrue(first.clean() || first.resyncOffset() == 0);
      assertTrue(first.clean() || first.level() != 0, "level 0 has nothing to resync");
    }
  }

  @Test
  void theSmallestMemberCountsAndIsFilledWithWholeChunks() {
    NewArray array = array(5, 64 << 10, 3);
    long smallest = 100 * MIB + 12_345;
    Superblock sb = first(array, smallest, 200 * MIB, 3000 * MIB);
    assertEquals(MIB, sb.dataOffset());
    assertEquals(99 * MIB, sb.dataSize());
    assertEquals(sb.dataSize(), sb.size());
    assertEquals(0, first(array(0, 64 << 10, 3), smallest, smallest, smallest).size());
  }

  @Test
  void dataBeginsAfterRoomForBitmapAndBadBlockLogAndNeverPastThe1024th() {
    assertEquals(MIB, NewArray.dataOffset(0));
    assertEquals(MIB, NewArray.dataOffset(1024 * MIB));
    assertEquals(2 * MIB, NewArray.dataOffset(3000 * MIB));
    assertEquals(128 * MIB, NewArray.dataOffset(128L << 30));
    assertEquals(128 * MIB, NewArray.dataOffset(Long.MAX_VALUE));
  }

  @Test
  void aMissingMemberLeavesItsPlaceOpen() {
    Member member = new Member(100 * MIB, ID);
    List<Superblock> made =
        array(6, 4096, 4).superblocks(Arrays.asList(member, null, member, member, member));
    assertNull(made.get(1));
    for (int i : new int[] {0, 2, 3, 4}) {
      assertEquals(Superblock.SPARE, made.get(i).role(1));
      assertEquals(i == 4 ? Superblock.SPARE : i, made.get(i).role());
    }
  }

  @Test
  void aSuperblockIsOneSectorUpTo128Devices() {
    Member member = new Member(100 * MIB, ID);
    Member[] devices = new Member[128];
    Arrays.fill(devices, member);
    assertEquals(512, first(array(1, 0, 2), 8 * MIB, 8 * MIB).encode(512).remaining());
    assertEquals(512, array(1, 0, 128).superblocks(List.of(devices)).getFirst().encode(1).limit());
    Member[] more = new Member[129];
    Arrays.fill(more, member);
    assertEquals(768, array(1, 0, 128).superblocks(List.of(more)).getLast().encode(1).limit());
  }

  @Test
  void whatCannotBeAnArrayIsRefused() {
    for (int level : new int[] {-1, 2, 4, 7}) {
      refused(() -> array(level, 4096, 4));
    }
    refused(() -> array(5, 2048, 4));
    refused(() -> array(5, 12_288, 4));
    refused(() -> array(1, 0, 0));
    refused(() -> array(1, 0, 1921));
    refused(() -> new NewArray(1, 0, 2, ID, "a".repeat(33), Superblocks.CREATED, true, 0));
    refused(() -> new NewArray(1, 0, 2, ID, "ä".repeat(17), Superblocks.CREATED, true, 0));
    refused(() -> new NewArray(1, 0, 2, ID, "a\0b", Superblocks.CREATED, true, 0));
    refused(() -> first(array(1, 0, 3), 8 * MIB, 8 * MIB));
    refused(() -> first(array(1, 0, 2), 8 * MIB, MIB + 4095));
    refused(() -> array(1, 0, 2).superblocks(Arrays.asList(null, null)));
  }

  @Test
  void aBitmapLiesWhereMdadmPutsItWithABitFor64MibOrMore() {
    Superblock sb = first(bitmap(5, NewArray.AUTO), 8 * MIB, 8 * MIB, 8 * MIB);
    assertTrue(sb.hasBitmap());
    assertEquals(1, sb.featureMap());
    assertEquals(4096, sb.bitmapOffset());
    assertEquals(64 * MIB, bitmap(5, NewArray.AUTO).bitmap(sb).chunk());
    assertEquals(4096, bitmap(5, 4096).bitmap(sb).chunk());
    assertNull(bitmap(5, 0).bitmap(sb));
    long huge = 1L << 50;
    NewArray mirror = bitmap(1, NewArray.AUTO);
    BitmapHeader header = mirror.bitmap(first(mirror, huge, huge, huge));
    assertEquals(128 * MIB, header.chunk());
    assertEquals(BitmapHeader.MAX_CHUNKS, header.chunks(), 1);
  }

  @Test
  void aBitmapWithoutRoomOrUseIsRefused() {
    refused(() -> bitmap(0, NewArray.AUTO));
    refused(() -> bitmap(0, 64 << 20));
    refused(() -> bitmap(5, 2048));
    refused(() -> bitmap(5, 12_288));
    refused(() -> bitmap(5, -2));
    long size = 1L << 40;
    refused(() -> first(bitmap(1, 4096), size, size, size));
  }

  private static NewArray bitmap(int level, int chunk) {
    return new NewArray(level, 65536, 3, ID, "host:a", Superblocks.CREATED, true, chunk);
  }

  private static void refused(Runnable making) {
    assertThrows(IllegalArgumentException.class, making::run);
  }

  private static NewArray array(int level, int chunk, int disks) {
    return new NewArray(level, chunk, disks, ID, "host:a", Superblocks.CREATED, false, 0);
  }

  private static Superblock first(NewArray array, long... sizes) {
    return array
        .superblocks(Arrays.stream(sizes).mapToObj(size -> new Member(size, ID)).toList())
        .getFirst();
  }
}
