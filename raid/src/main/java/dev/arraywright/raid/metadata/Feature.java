package dev.arraywright.raid.metadata;

/** Bits of a superblock's feature map (md_p.h); what is not understood here is refused by name. */
enum Feature {
  BITMAP_OFFSET(1, null),
  RECOVERY_OFFSET(2, null),
  RESHAPE_ACTIVE(4, "a reshape is under way; let it finish under Linux md first"),
  BAD_BLOCKS(8, "the member has known bad blocks; replace it under Linux md first"),
  REPLACEMENT(16, null),
  RESHAPE_BACKWARDS(32, "a reshape is under way; let it finish under Linux md first"),
  NEW_OFFSET(64, "a move of the data is under way; let it finish under Linux md first"),
  RECOVERY_BITMAP(128, null),
  CLUSTERED(256, "the array belongs to a cluster"),
  JOURNAL(512, "the array has a write journal; remove it with mdadm first"),
  PPL(1024, "the array has a partial parity log; use mdadm --consistency-policy=resync first"),
  MULTIPLE_PPLS(2048, "the array has partial parity logs; remove them with mdadm first"),
  RAID0_LAYOUT(4096, null);

  final int bit;

  /** Why it is refused and what to do; null if it is understood. */
  final String refusal;

  Feature(int bit, String refusal) {
    this.bit = bit;
    this.refusal = refusal;
  }

  boolean in(int map) {
    return (map & bit) != 0;
  }
}
