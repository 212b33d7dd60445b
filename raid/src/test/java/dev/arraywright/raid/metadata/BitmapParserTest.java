package dev.arraywright.raid.metadata;

import static dev.arraywright.raid.metadata.BitmapDescriptor.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.arraywright.raid.metadata.BitmapException.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is refused, why, and that nothing else ever comes out of bad bytes. */
class BitmapParserTest {
  private static final BitmapHeader SOUND =
      new BitmapHeader(new UUID(6, 7), 50, 40, 63 << 20, 0, 1 << 20, 5, 256, 8);

  @Test
  void bytesWithoutTheMagicAreNoBitmap() {
    refused(Reason.NONE, "magic is missing", b -> b.putInt(MAGIC_AT, 0));
    assertReason(Reason.NONE, ByteBuffer.allocate(0));
    assertReason(Reason.NONE, bytes().slice(0, HEADER_SIZE - 1));
  }

  @Test
  void otherKindsAreRefusedByName() {
    refused(Reason.UNSUPPORTED, "version 3, in the byte order", b -> b.putInt(VERSION_AT, 3));
    refused(Reason.UNSUPPORTED, "version 5: the array belongs", b -> b.putInt(VERSION_AT, 5));
    refused(Reason.UNSUPPORTED, "version 6: lockless", b -> b.putInt(VERSION_AT, 6));
    refused(Reason.UNSUPPORTED, "version 4294967295", b -> b.putInt(VERSION_AT, -1));
    refused(Reason.UNSUPPORTED, "4 nodes of a cluster", b -> b.putInt(NODES_AT, 4));
    refused(Reason.UNSUPPORTED, "8388608 is the most", b -> b.putLong(SYNC_SIZE_AT, 1L << 40));
  }

  @Test
  void fieldsBeyondAnyLimitAreRefused() {
    corrupt("18446744073709551615 events", b -> b.putLong(EVENTS_AT, -1));
    corrupt("18446744073709551615 when cleared", b -> b.putLong(EVENTS_CLEARED_AT, -1));
    corrupt("sync size of 0 sectors", b -> b.putLong(SYNC_SIZE_AT, 0));
    corrupt("sync size of 1844674407370955161", b -> b.putLong(SYNC_SIZE_AT, -1));
    corrupt("sync size of 922337203685477580", b -> b.putLong(SYNC_SIZE_AT, Long.MAX_VALUE));
    corrupt("unknown state 0x1", b -> b.putInt(STATE_AT, 1));
    corrupt("chunk of 0 bytes", b -> b.putInt(CHUNK_AT, 0));
    corrupt("chunk of 256 bytes", b -> b.putInt(CHUNK_AT, 256));
    corrupt("chunk of 3000 bytes", b -> b.putInt(CHUNK_AT, 3000));
    corrupt("chunk of 2147483648 bytes", b -> b.putInt(CHUNK_AT, 1 << 31));
    corrupt("every 0 seconds", b -> b.putInt(SLEEP_AT, 0));
    corrupt("every 4294967295 seconds", b -> b.putInt(SLEEP_AT, -1));
    corrupt("16384 writes behind", b -> b.putInt(WRITE_BEHIND_AT, 1 << 14));
    corrupt("32256 bits in 8 sectors", b -> b.putInt(CHUNK_AT, 2048).putInt(SYNC_SIZE_AT + 4, 0));
    corrupt("cluster's name", b -> b.put(CLUSTER_AT, (byte) 'c'));
    corrupt("padding", b -> b.put(PADDING_AT, (byte) 1));
    corrupt("padding", b -> b.put(HEADER_SIZE - 1, (byte) 1));
  }

  @Test
  void whateverTheBytesTheyParseOrAreABitmapException() {
    Random random = new Random(20_251_120);
    int sound = 0;
    for (int round = 0; round < 60_000; round++) {
      ByteBuffer bytes = bytes();
      for (int i = random.nextInt(3); i >= 0; i--) {
        mutate(random, bytes);
      }
      sound += parsesOrRefuses(bytes) ? 1 : 0;
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
        bytes.putInt(0, MAGIC).putInt(4, VERSION);
      }
      parsesOrRefuses(bytes);
    }
  }

  /** Whether it parsed; then it gives back its own bytes, and has a sound number of bits. */
  private static boolean parsesOrRefuses(ByteBuffer bytes) {
    try {
      BitmapHeader header = BitmapHeader.parse(bytes);
      ByteBuffer back = ByteBuffer.allocate(HEADER_SIZE);
      header.encode(back);
      assertEquals(bytes.slice(0, HEADER_SIZE), back.flip());
      assertTrue(header.chunks() > 0 && header.chunks() <= BitmapHeader.MAX_CHUNKS);
      assertTrue(header.areaSize(4096) > 0, header::toString);
      return true;
    } catch (BitmapException e) {
      assertTrue(e.getMessage().startsWith(e.reason() == Reason.NONE ? "no md" : "md bitmap"));
      return false;
    }
  }

  /** A field, aligned as fields are, becomes random, extreme or slightly different. */
  private static void mutate(Random random, ByteBuffer bytes) {
    int at = UUID_AT + 4 * random.nextInt((CLUSTER_AT + 8 - UUID_AT) / 4 - 1);
    switch (random.nextInt(4)) {
      case 0 -> bytes.putInt(at, random.nextInt());
      case 1 -> bytes.putLong(at, random.nextBoolean() ? -1 : Long.MAX_VALUE);
      case 2 -> bytes.putInt(at, bytes.getInt(at) + random.nextInt(3) - 1);
      default -> bytes.putInt(at, 1 << random.nextInt(32));
    }
  }

  private static ByteBuffer bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER_SIZE);
    SOUND.encode(bytes);
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void corrupt(String text, Consumer<ByteBuffer> change) {
    refused(Reason.CORRUPT, text, change);
  }

  private static void refused(Reason reason, String text, Consumer<ByteBuffer> change) {
    ByteBuffer bytes = bytes();
    change.accept(bytes);
    BitmapException e = assertReason(reason, bytes);
    assertTrue(e.getMessage().contains(text), e.getMessage());
  }

  private static BitmapException assertReason(Reason reason, ByteBuffer bytes) {
    BitmapException e = assertThrows(BitmapException.class, () -> BitmapHeader.parse(bytes));
    assertEquals(reason, e.reason(), e.getMessage());
    return e;
  }
}
