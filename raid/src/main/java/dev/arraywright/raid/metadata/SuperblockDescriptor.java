package dev.arraywright.raid.metadata;

/**
 * Layout of md's superblock 1.2: little-endian, offsets in bytes, lengths on disk in sectors of 512
 * bytes. Source of the facts: Linux {@code include/uapi/linux/raid/md_p.h}, md(4).
 *
 * <pre>
 *        0        4        8        12       16
 *   0  | magic  | major  |features| zero   | the array: constant
 *  16  | set_uuid                          |
 *  32  | set_name                          |
 *  48  |   ... 32 bytes                    |
 *  64  | ctime           | level  | layout |
 *  80  | size            | chunk  | disks  |
 *  96  | bitmap | level' | reshape position| (level' to offset': only during a reshape)
 * 112  | delta  | layout'| chunk' | offset'|
 * 128  | data_offset     | data_size       | this member: constant
 * 144  | super_offset    | recovery_offset |
 * 160  | number |corr rd | device_uuid     |
 * 176  |   ... 16 bytes  |f|s|size| bblog  | (f devflags, s bblog_shift, size bblog_size)
 * 192  | utime           | events          | the array: changes
 * 208  | resync_offset   | csum   | max_dev|
 * 224  | zero, 32 bytes                    |
 * 256  | role of device 0, 1, ... max_dev-1, two bytes each
 *
 *   member:  0 .. 4096 free | 4096 superblock | free, bitmap, bad-block log | data_offset: data
 * </pre>
 */
public final class SuperblockDescriptor {
  /** Where version 1.2 lies, from the member's start. */
  public static final int SUPERBLOCK_OFFSET = 4096;

  /** The kernel takes no larger superblock, roles included. */
  public static final int MAX_SIZE = 4096;

  /** Size without the roles. */
  public static final int HEADER_SIZE = 256;

  public static final int ROLE_SIZE = 2;
  public static final int MAX_ROLES = (MAX_SIZE - HEADER_SIZE) / ROLE_SIZE;
  public static final int SECTOR = 512;
  public static final int UUID_SIZE = 16;
  public static final int NAME_SIZE = 32;
  public static final int MAGIC = 0xa92b4efc;
  public static final int MAJOR_VERSION = 1;

  static final int MAGIC_AT = 0;
  static final int MAJOR_AT = 4;
  static final int FEATURES_AT = 8;
  static final int PAD0_AT = 12;
  static final int SET_UUID_AT = 16;
  static final int NAME_AT = 32;
  static final int CTIME_AT = 64;
  static final int LEVEL_AT = 72;
  static final int LAYOUT_AT = 76;
  static final int SIZE_AT = 80;
  static final int CHUNK_AT = 88;
  static final int RAID_DISKS_AT = 92;
  static final int BITMAP_OFFSET_AT = 96;
  static final int RESHAPE_AT = 100;
  static final int DATA_OFFSET_AT = 128;
  static final int DATA_SIZE_AT = 136;
  static final int SUPER_OFFSET_AT = 144;
  static final int RECOVERY_OFFSET_AT = 152;
  static final int DEV_NUMBER_AT = 160;
  static final int CORRECTED_READS_AT = 164;
  static final int DEVICE_UUID_AT = 168;
  static final int DEV_FLAGS_AT = 184;
  static final int BAD_BLOCK_SHIFT_AT = 185;
  static final int BAD_BLOCK_SIZE_AT = 186;
  static final int BAD_BLOCK_OFFSET_AT = 188;
  static final int UTIME_AT = 192;
  static final int EVENTS_AT = 200;
  static final int RESYNC_OFFSET_AT = 208;
  static final int CHECKSUM_AT = 216;
  static final int MAX_DEV_AT = 220;
  static final int PAD3_AT = 224;

  private SuperblockDescriptor() {}
}
