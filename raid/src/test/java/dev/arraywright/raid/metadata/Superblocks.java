package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.SuperblockDescriptor.*;

import dev.arraywright.raid.metadata.NewArray.Member;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Superblocks for specs: random sound ones, and sound ones with a field changed behind their back.
 */
final class Superblocks {
  static final Instant CREATED = Instant.ofEpochSecond(1_700_000_000L, 123_456_000);

  private Superblocks() {}

  static UUID uuid(Random random) {
    return new UUID(random.nextLong(), random.nextLong());
  }

  static NewArray array(Random random, int level, int disks) {
    int chunk = 4096 << random.nextInt(9);
    String name = "host:" + Integer.toString(random.nextInt(1_000_000), 36);
    return new NewArray(level, chunk, disks, uuid(random), name, CREATED, random.nextBoolean(), 0);
  }

  static int disks(Random random, int level) {
    int least = level == 6 || level == 10 ? 4 : level == 5 ? 3 : 2;
    return least + random.nextInt(8);
  }

  /** An array of a random level, size and state; its members, spares last, none missing. */
  static List<Superblock> members(Random random) {
    int level = List.of(0, 1, 5, 6, 10).get(random.nextInt(5));
    return members(random, level, disks(random, level), level == 0 ? 0 : random.nextInt(3));
  }

  static List<Superblock> members(Random random, int level, int disks, int spares) {
    List<Member> devices = new ArrayList<>();
    for (int i = 0; i < disks + spares; i++) {
      devices.add(new Member((8L << 20) + random.nextInt(1 << 30), uuid(random)));
    }
    return array(random, level, disks).superblocks(devices);
  }

  /**
   * The superblock's bytes with something changed and, if {@code sealed}, the checksum put right.
   */
  static ByteBuffer changed(Superblock sb, boolean sealed, Consumer<ByteBuffer> change) {
    ByteBuffer bytes = sb.encode(4096).order(ByteOrder.LITTLE_ENDIAN);
    change.accept(bytes);
    int roles = Math.min(Integer.remainderUnsigned(bytes.getInt(MAX_DEV_AT), 10_000), MAX_ROLES);
    if (sealed) {
      int sum = SuperblockParser.checksum(bytes, HEADER_SIZE + ROLE_SIZE * roles);
      bytes.putInt(CHECKSUM_AT, sum);
    }
    return bytes;
  }
}
