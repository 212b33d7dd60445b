package dev.arraywright.raid.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.raid.metadata.BitmapException.Reason;
import dev.arraywright.raid.metadata.NewArray.Member;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class BitmapHeaderTest {
  private static final long MIB = 1 << 20;

  /** Of a RAID-1 of 63 MiB with a bit a MiB, at events 42, cleared at 40, 100 writes behind. */
  private static final String GOLDEN =
      """
      6269746d 04000000 00112233 44556677
      8899aabb ccddeeff 2a000000 01000000
      28000000 01000000 00f80100 00000000
      02000000 00001000 07000000 64000000
      08000000 00000000 00000000 00000000
      """;

  @Test
  void theGoldenBytesReadAsTheirFieldsSayAndComeBack() throws BitmapException {
    BitmapHeader header = BitmapHeader.parse(golden());
    assertEquals(UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"), header.setUuid());
    assertEquals(0x1_0000_002aL, header.events());
    assertEquals(0x1_0000_0028L, header.eventsCleared());
    assertEquals(63 * MIB, header.syncSize());
    assertTrue(header.stale());
    assertEquals(MIB, header.chunk());
    assertEquals(List.of(7, 100), List.of(header.daemonSleep(), header.writeBehind()));
    assertEquals(8, header.sectorsReserved());
    assertEquals(63, header.chunks());
    ByteBuffer out = ByteBuffer.allocate(300).position(20);
    header.encode(out);
    assertEquals(276, out.position());
    assertEquals(golden(), out.slice(20, 256));
  }

  @Test
  void parsingLeavesTheBufferAloneAndStartsAtItsPosition() throws BitmapException {
    ByteBuffer direct = ByteBuffer.allocateDirect(1000).put(77, golden(), 0, 256).position(77);
    assertEquals(BitmapHeader.parse(golden()), BitmapHeader.parse(direct));
    assertEquals(77, direct.position());
  }

  @Test
  void aNewHeaderIsCurrentAndChangesOneFieldAtATime() throws BitmapException {
    BitmapHeader header = BitmapHeader.of(new UUID(1, 2), 5, 63 * MIB, 4096);
    assertFalse(header.stale());
    assertEquals(List.of(5L, 5L), List.of(header.events(), header.eventsCleared()));
    BitmapHeader later = header.withEvents(9).withEventsCleared(7);
    assertEquals(List.of(9L, 7L), List.of(later.events(), later.eventsCleared()));
    assertEquals(header, later.withEvents(5).withEventsCleared(5));
    ByteBuffer bytes = ByteBuffer.allocate(256);
    later.encode(bytes);
    assertEquals(later, BitmapHeader.parse(bytes.flip()));
  }

  @Test
  void theAreaHoldsHeaderAndBitsInWholeBlocks() {
    int[][] table = {{1, 512, 512}, {2048, 512, 512}, {2049, 512, 1024}, {2049, 4096, 4096}};
    for (int[] row : table) {
      BitmapHeader header = BitmapHeader.of(new UUID(1, 2), 0, row[0] * 512L, 512);
      assertEquals(row[0], header.chunks());
      assertEquals(row[2], header.areaSize(row[1]));
    }
    assertEquals(2, BitmapHeader.of(new UUID(1, 2), 0, MIB + 512, 1 << 20).chunks());
  }

  @Test
  void aBitmapBelongsToItsArrayAtItsSizeInItsRoom() throws Exception {
    for (int level : List.of(1, 5, 6, 10)) {
      NewArray array =
          new NewArray(
              level, 65536, 5, new UUID(3, level), "a", Superblocks.CREATED, true, NewArray.AUTO);
      Superblock sb = first(array, 100 * MIB);
      BitmapHeader header = array.bitmap(sb);
      header.checkBelongs(sb);
      long size = level == 10 ? 99L * 16 * 5 / 2 * 65536 : 99 * MIB;
      assertEquals(size, header.syncSize());
      foreign(BitmapHeader.of(new UUID(3, 77), 0, size, 1 << 26), sb);
      foreign(BitmapHeader.of(new UUID(3, level), 0, size - 512, 1 << 26), sb);
      Superblock cramped = sb.withBitmap(sb.dataOffset() - 4096 - 512);
      header.checkBelongs(cramped);
      BitmapHeader fine = BitmapHeader.of(new UUID(3, level), 0, size, 4096);
      fine.checkBelongs(sb);
      BitmapException e = assertThrows(BitmapException.class, () -> fine.checkBelongs(cramped));
      assertEquals(Reason.CORRUPT, e.reason());
      header.checkFits(cramped, 512);
      assertThrows(BitmapException.class, () -> header.checkFits(cramped, 4096));
    }
  }

  @Test
  void aBitmapThatFellBehindTheArrayIsStale() throws BitmapException {
    NewArray array =
        new NewArray(1, 0, 2, new UUID(3, 1), "a", Superblocks.CREATED, true, NewArray.AUTO);
    Superblock sb = first(array, 100 * MIB).withEvents(8);
    BitmapHeader header = array.bitmap(sb);
    header.checkCurrent(sb);
    header.withEvents(9).checkCurrent(sb);
    BitmapException e =
        assertThrows(BitmapException.class, () -> header.withEvents(7).checkCurrent(sb));
    assertEquals(Reason.STALE, e.reason());
    BitmapHeader marked = new BitmapHeader(new UUID(3, 1), 8, 8, 99 * MIB, 2, 1 << 26, 5, 0, 0);
    assertThrows(BitmapException.class, () -> marked.checkCurrent(sb));
  }

  @Test
  void theRoomEndsAtTheBadBlockLogTheDataOrTheSuperblock() throws Exception {
    Superblock linux =
        Superblock.parse(
            ByteBuffer.wrap(
                BitmapHeaderTest.class
                    .getResourceAsStream("/md/raid6-bitmap-0.sb")
                    .readAllBytes()));
    assertEquals(4096, BitmapHeader.room(linux));
    BitmapHeader.of(linux.setUuid(), linux.events(), 63 * MIB, 1 << 26).checkBelongs(linux);
    Superblock own = Superblocks.members(new Random(5), 5, 3, 0).getFirst();
    assertEquals(0, BitmapHeader.room(own));
    assertEquals(own.dataOffset() - 8192, BitmapHeader.room(own.withBitmap(4096)));
    assertEquals(2048, BitmapHeader.room(own.withBitmap(-2048)));
  }

  @Test
  void misuseIsRefused() {
    UUID id = new UUID(1, 2);
    for (int chunk : new int[] {0, 256, 3000, Integer.MIN_VALUE}) {
      assertThrows(IllegalArgumentException.class, () -> BitmapHeader.of(id, 0, MIB, chunk));
    }
    for (long size : new long[] {0, -512, 511, Long.MAX_VALUE, 512L * (1 + (1 << 23))}) {
      assertThrows(IllegalArgumentException.class, () -> BitmapHeader.of(id, 0, size, 512));
    }
    assertThrows(IllegalArgumentException.class, () -> BitmapHeader.of(id, -1, MIB, 512));
  }

  static Superblock first(NewArray array, long size) {
    Member member = new Member(size, new UUID(9, 9));
    return array.superblocks(Collections.nCopies(array.raidDisks(), member)).getFirst();
  }

  private static void foreign(BitmapHeader header, Superblock sb) {
    BitmapException e = assertThrows(BitmapException.class, () -> header.checkBelongs(sb));
    assertEquals(Reason.FOREIGN, e.reason());
  }

  private static ByteBuffer golden() {
    byte[] bytes = HexFormat.of().parseHex(GOLDEN.replaceAll("\\s", ""));
    return ByteBuffer.allocate(256).put(0, bytes);
  }
}
