package dev.arraywright.raid.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.arraywright.raid.metadata.NewArray.Member;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SuperblockTest {
  @Test
  void whatIsEncodedParsesBack() throws SuperblockException {
    Member member = new Member(100 << 20, UUID.randomUUID());
    NewArray array = new NewArray(6, 65536, 4, UUID.randomUUID(), "host:a", Instant.EPOCH, false);
    for (Superblock sb : array.superblocks(List.of(member, member, member, member))) {
      assertEquals(sb, Superblock.parse(sb.encode(4096)));
    }
  }
}
