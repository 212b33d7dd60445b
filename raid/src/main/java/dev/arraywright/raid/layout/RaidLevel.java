package dev.arraywright.raid.layout;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The levels of Linux md that are supported, named and numbered as mdadm does. */
public enum RaidLevel {
  RAID0(0, 2, 0),
  RAID1(1, 2, 0),
  RAID5(5, 2, 1),
  RAID6(6, 4, 2),
  RAID10(10, 2, 0);

  private final int md;
  private final int minimumMembers;
  private final int parities;

  RaidLevel(int md, int minimumMembers, int parities) {
    this.md = md;
    this.minimumMembers = minimumMembers;
    this.parities = parities;
  }

  /** The number in the superblock. */
  public int md() {
    return md;
  }

  /** The fewest members that md takes. */
  public int minimumMembers() {
    return minimumMembers;
  }

  /** Parity chunks a stripe: 1 at RAID-5, 2 at RAID-6, else 0. */
  public int parities() {
    return parities;
  }

  /** False at level 0, which loses data with any member. */
  public boolean redundant() {
    return this != RAID0;
  }

  /** The level with that md number. */
  public static RaidLevel ofMd(int md) {
    for (RaidLevel level : values()) {
      if (level.md == md) {
        return level;
      }
    }
    throw new IllegalArgumentException("md level " + md + " is not supported; there are " + all());
  }

  /**
   * Reads {@code raid5}, {@code RAID5}, {@code raid-5}, {@code 5}, and md's words stripe, mirror.
   */
  public static RaidLevel parse(String text) {
    String key = text.strip().toLowerCase(Locale.ROOT).replace("-", "");
    for (RaidLevel level : values()) {
      if (key.equals(level.toString()) || key.equals(Integer.toString(level.md))) {
        return level;
      }
    }
    return switch (key) {
      case "stripe" -> RAID0;
      case "mirror" -> RAID1;
      default ->
          throw new IllegalArgumentException(
              "'" + text + "' is no supported level; there are " + all());
    };
  }

  private static String all() {
    return Arrays.stream(values()).map(RaidLevel::toString).collect(Collectors.joining(", "));
  }

  /** As mdadm writes it: {@code raid5}. */
  @Override
  public String toString() {
    return "raid" + md;
  }
}
