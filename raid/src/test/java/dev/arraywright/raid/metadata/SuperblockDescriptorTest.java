package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SuperblockDescriptorTest {
  /** Offset and length of every field in the order of md_p.h; the reshape's five are one run. */
  private static final int[][] FIELDS = {
    {MAGIC_AT, 4},
    {MAJOR_AT, 4},
    {FEATURES_AT, 4},
    {PAD0_AT, 4},
    {SET_UUID_AT, UUID_SIZE},
    {NAME_AT, NAME_SIZE},
    {CTIME_AT, 8},
    {LEVEL_AT, 4},
    {LAYOUT_AT, 4},
    {SIZE_AT, 8},
    {CHUNK_AT, 4},
    {RAID_DISKS_AT, 4},
    {BITMAP_OFFSET_AT, 4},
    {RESHAPE_AT, 28},
    {DATA_OFFSET_AT, 8},
    {DATA_SIZE_AT, 8},
    {SUPER_OFFSET_AT, 8},
    {RECOVERY_OFFSET_AT, 8},
    {DEV_NUMBER_AT, 4},
    {CORRECTED_READS_AT, 4},
    {DEVICE_UUID_AT, UUID_SIZE},
    {DEV_FLAGS_AT, 1},
    {BAD_BLOCK_SHIFT_AT, 1},
    {BAD_BLOCK_SIZE_AT, 2},
    {BAD_BLOCK_OFFSET_AT, 4},
    {UTIME_AT, 8},
    {EVENTS_AT, 8},
    {RESYNC_OFFSET_AT, 8},
    {CHECKSUM_AT, 4},
    {MAX_DEV_AT, 4},
    {PAD3_AT, 32},
  };

  @Test
  void fieldsFollowEachOtherWithoutGapUpToTheRoles() {
    int end = 0;
    for (int[] field : FIELDS) {
      assertEquals(end, field[0]);
      end += field[1];
    }
    assertEquals(HEADER_SIZE, end);
  }

  @Test
  void theFourParts128And64And64And2EachAreWhereTheHeaderFileSays() {
    assertEquals(128, DATA_OFFSET_AT);
    assertEquals(192, UTIME_AT);
    assertEquals(256, HEADER_SIZE);
    assertEquals(1920, MAX_ROLES);
  }
}
