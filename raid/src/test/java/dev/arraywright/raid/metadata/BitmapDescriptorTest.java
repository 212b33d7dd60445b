package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.BitmapDescriptor.*;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class BitmapDescriptorTest {
  /** Offset and length of every field in the order of md-bitmap.h. */
  private static final int[][] FIELDS = {
    {MAGIC_AT, 4},
    {VERSION_AT, 4},
    {UUID_AT, 16},
    {EVENTS_AT, 8},
    {EVENTS_CLEARED_AT, 8},
    {SYNC_SIZE_AT, 8},
    {STATE_AT, 4},
    {CHUNK_AT, 4},
    {SLEEP_AT, 4},
    {WRITE_BEHIND_AT, 4},
    {RESERVED_AT, 4},
    {NODES_AT, 4},
    {CLUSTER_AT, 64},
    {PADDING_AT, 120},
  };

  @Test
  void fieldsFollowEachOtherWithoutGapUpToTheBits() {
    int end = 0;
    for (int[] field : FIELDS) {
      assertEquals(end, field[0]);
      end += field[1];
    }
    assertEquals(HEADER_SIZE, end);
  }

  @Test
  void theMagicSpellsBitmInTheFilesBytes() {
    byte[] bytes = ByteBuffer.allocate(4).order(LITTLE_ENDIAN).putInt(MAGIC).array();
    assertEquals("bitm", new String(bytes, US_ASCII));
  }
}
