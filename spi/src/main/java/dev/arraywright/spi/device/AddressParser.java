package dev.arraywright.spi.device;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The grammar of {@link StorageAddress}; one parser a text. */
final class AddressParser {
  private static final List<String> OWN = List.of("file", "block", "nbd", "nbd+unix", "memory");
  private static final String ENCODED = "%?# \"<>\\^`{|}";

  private final String text;

  AddressParser(String text) {
    this.text = text;
  }

  StorageAddress parse() throws AddressSyntaxException {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) == 0x7f) {
        throw error(i, "a control character");
      }
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw error(
          text.length(),
          "no scheme; write file:/path, block:/dev/name, nbd://host/export or memory:size");
    }
    for (int i = 0; i < colon; i++) {
      if (!schemeCharacter(text.charAt(i), i)) {
        throw error(i, "a character that no scheme has");
      }
    }
    if (colon == 0) {
      throw error(0, "an empty scheme");
    }
    int rest = colon + 1;
    return switch (text.substring(0, colon)) {
      case "file" -> new StorageAddress.File(path(rest, text.length(), "file"));
      case "block" -> new StorageAddress.Block(path(rest, text.length(), "block"));
      case "nbd" -> nbd(rest);
      case "nbd+unix" -> nbdUnix(rest);
      case "memory" -> memory(rest);
      default -> other(colon);
    };
  }

  private String path(int from, int to, String what) throws AddressSyntaxException {
    if (from >= to || text.charAt(from) != '/') {
      throw error(from, "a " + what + " needs an absolute path, beginning with '/'");
    }
    if (text.startsWith("//", from)) {
      throw error(from + 1, "'//': there is no host in a " + what + " address");
    }
    String path = decode(from, to);
    if (path.indexOf('\0') >= 0) {
      throw error(from, "a zero byte in a path");
    }
    return path;
  }

  private StorageAddress nbd(int from) throws AddressSyntaxException {
    if (!text.startsWith("//", from)) {
      throw error(from, "nbd needs '//' and a host");
    }
    int host = from + 2;
    int slash = text.indexOf('/', host);
    int end = slash < 0 ? text.length() : slash;
    int colon;
    String name;
    if (text.startsWith("[", host)) {
      int close = text.indexOf(']', host);
      if (close < 0 || close > end) {
        throw error(host, "'[' without ']'");
      }
      name = text.substring(host + 1, close);
      colon = close + 1;
      if (colon < end && text.charAt(colon) != ':') {
        throw error(colon, "neither ':' nor '/' after ']'");
      }
    } else {
      colon = text.indexOf(':', host);
      if (colon < 0 || colon > end) {
        colon = end;
      }
      name = text.substring(host, colon);
    }
    for (int i = 0; i < name.length(); i++) {
      if ("/?#[]@ %".indexOf(name.charAt(i)) >= 0) {
        throw error(host + i, "a character that no host has");
      }
    }
    if (name.isEmpty()) {
      throw error(host, "no host");
    }
    int port = colon < end ? port(colon + 1, end) : StorageAddress.Nbd.DEFAULT_PORT;
    String export = slash < 0 ? "" : decode(slash + 1, text.length());
    return new StorageAddress.Nbd(name, port, export);
  }

  private int port(int from, int to) throws AddressSyntaxException {
    int port = 0;
    for (int i = from; i < to; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw error(i, "not a digit in the port");
      }
      port = Math.min(port * 10 + digit, 65536);
    }
    if (port == 0 || port > 65535) {
      throw error(from, "the port is not within 1 to 65535");
    }
    return port;
  }

  private StorageAddress nbdUnix(int from) throws AddressSyntaxException {
    if (!text.startsWith("///", from)) {
      throw error(from, "nbd+unix needs '///' before the export's name");
    }
    int query = text.indexOf("?socket=", from + 3);
    if (query < 0) {
      throw error(text.length(), "no '?socket=/path'");
    }
    String socket = path(query + "?socket=".length(), text.length(), "socket");
    return new StorageAddress.NbdUnix(socket, decode(from + 3, query));
  }

  private StorageAddress memory(int from) throws AddressSyntaxException {
    int hash = text.indexOf('#', from);
    int end = hash < 0 ? text.length() : hash;
    long size;
    try {
      size = ByteSize.parse(text.substring(from, end));
    } catch (IllegalArgumentException e) {
      throw error(from, e.getMessage());
    }
    if (size <= 0) {
      throw error(from, "the size is not above zero");
    }
    return new StorageAddress.Memory(size, hash < 0 ? "" : decode(hash + 1, text.length()));
  }

  private StorageAddress other(int colon) throws AddressSyntaxException {
    if (colon + 1 == text.length()) {
      throw error(colon + 1, "nothing after the scheme");
    }
    return new StorageAddress.Other(text.substring(0, colon), text.substring(colon + 1));
  }

  private String decode(int from, int to) throws AddressSyntaxException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(to - from);
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c == '?' || c == '#') {
        throw error(i, "'" + c + "' (write it as %" + Integer.toHexString(c).toUpperCase() + ")");
      }
      if (c != '%') {
        int point = text.codePointAt(i);
        bytes.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
        i += Character.charCount(point) - 1;
        continue;
      }
      int high = i + 2 < to ? Character.digit(text.charAt(i + 1), 16) : -1;
      int low = i + 2 < to ? Character.digit(text.charAt(i + 2), 16) : -1;
      if (high < 0 || low < 0) {
        throw error(i, "'%' without two hexadecimal digits");
      }
      bytes.write(high << 4 | low);
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      throw error(from, "percent-encoded bytes that are no UTF-8");
    }
  }

  static String encode(String plain) {
    StringBuilder out = new StringBuilder(plain.length());
    plain
        .codePoints()
        .forEach(
            c -> {
              if (c > ' ' && c != 0x7f && ENCODED.indexOf(c) < 0) {
                out.appendCodePoint(c);
                return;
              }
              for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
                out.append('%').append("%02X".formatted(b & 0xff));
              }
            });
    return out.toString();
  }

  static void requireAbsolute(String path) {
    if (!path.startsWith("/") || path.startsWith("//") || path.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("not an absolute path: '" + path + "'");
    }
  }

  static void requireForeignScheme(String scheme) {
    boolean fits = !scheme.isEmpty() && !OWN.contains(scheme);
    for (int i = 0; i < scheme.length(); i++) {
      fits &= schemeCharacter(scheme.charAt(i), i);
    }
    if (!fits) {
      throw new IllegalArgumentException("not a driver's own scheme: '" + scheme + "'");
    }
  }

  static void requirePrintable(String rest) {
    if (rest.isEmpty() || rest.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
      throw new IllegalArgumentException("empty, or a control character: '" + rest + "'");
    }
  }

  private static boolean schemeCharacter(char c, int index) {
    boolean letter = c >= 'a' && c <= 'z';
    return letter || index > 0 && (c >= '0' && c <= '9' || "+-.".indexOf(c) >= 0);
  }

  private AddressSyntaxException error(int position, String reason) {
    return new AddressSyntaxException(text, position, reason);
  }
}
