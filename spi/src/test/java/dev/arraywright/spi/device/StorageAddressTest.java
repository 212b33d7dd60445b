package dev.arraywright.spi.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StorageAddressTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "file:/var/lib/m0.img",
        "file:/a%20b/%3F%23%25",
        "file:/größe/磁盘",
        "block:/dev/nvme0n1",
        "nbd://host/",
        "nbd://host:10810/export",
        "nbd://[::1]:2000/a/b",
        "nbd+unix:///disk?socket=/run/x.sock",
        "nbd+unix:///?socket=/run/a%20b.sock",
        "memory:64MiB",
        "memory:4096#scratch%20a",
        "iscsi:target/1?lun=3",
      })
  void whatIsPrintedIsParsedBack(String text) throws AddressSyntaxException {
    StorageAddress address = StorageAddress.parse(text);
    assertEquals(address, StorageAddress.parse(address.toString()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/dev/sda            | 8  | no scheme",
        "FILE:/x             | 0  | no scheme has",
        "file:relative       | 5  | absolute path",
        "file://host/x       | 6  | no host in a file address",
        "file:/a?b           | 7  | %3F",
        "file:/a%2           | 7  | hexadecimal",
        "file:/a%zz          | 7  | hexadecimal",
        "file:/a%ff          | 5  | UTF-8",
        "nbd:host            | 4  | '//'",
        "nbd:///x            | 6  | no host",
        "nbd://h:0/x         | 8  | 1 to 65535",
        "nbd://h:65536/x     | 8  | 1 to 65535",
        "nbd://h:9x/x        | 9  | not a digit",
        "nbd://[::1/x        | 6  | without ']'",
        "nbd+unix:///x       | 13 | ?socket=",
        "memory:0            | 7  | above zero",
        "memory:12Q          | 7  | unit",
        "memory:99999999TiB  | 7  | not a size",
        "iscsi:              | 6  | nothing after",
        ":x                  | 0  | empty scheme",
      })
  void aBadAddressIsRejectedWithPositionAndReason(String text, int position, String reason) {
    var error = assertThrows(AddressSyntaxException.class, () -> StorageAddress.parse(text));
    assertEquals(position, error.position(), error::getMessage);
    assertTrue(error.reason().contains(reason), error::getMessage);
  }

  @Test
  void noInputThrowsAnythingButTheParsersOwnError() {
    String alphabet = "filebocknduxmry:/%?#[]@ 0129aZ.+-é😀\u0000\n";
    int[] points = alphabet.codePoints().toArray();
    String[] starts = {"", "file:", "block:/", "nbd://", "nbd+unix:///", "memory:"};
    Random random = new Random(20261120);
    int parsed = 0;
    for (int round = 0; round < 200_000; round++) {
      StringBuilder text = new StringBuilder(starts[random.nextInt(starts.length)]);
      for (int i = random.nextInt(12); i > 0; i--) {
        text.appendCodePoint(points[random.nextInt(points.length)]);
      }
      try {
        StorageAddress address = StorageAddress.parse(text.toString());
        assertEquals(address, StorageAddress.parse(address.toString()), text::toString);
        parsed++;
      } catch (AddressSyntaxException e) {
        assertTrue(e.position() >= 0 && e.position() <= text.length(), e::getMessage);
      }
    }
    assertTrue(parsed > 1000, "the generator makes too few good addresses: " + parsed);
  }

  @ParameterizedTest
  @CsvSource({"4096, 4096", "64KiB, 65536", "64k, 65536", "1.5GiB, 1610612736", "2 MB, 2000000"})
  void sizesAreReadInBinaryAndDecimalUnits(String text, long bytes) {
    assertEquals(bytes, ByteSize.parse(text));
    assertEquals(bytes, ByteSize.parse(ByteSize.format(bytes)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "KiB", "1.0001KiB", "1..2", "1 KiX", "9000000PiB"})
  void aBadSizeIsRejected(String text) {
    assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
  }
}
